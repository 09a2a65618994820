"""Every page. A page stands here only when what it shows exists; links to absent names are not drawn."""

from django.urls import path, re_path

from frontend.pages import (
    audit,
    catalogue,
    channels,
    errors,
    home,
    incidents,
    lineage,
    playground,
    runs,
    sign_in,
    silences,
    system,
    tokens,
    view,
)

_AT = "p/<str:project>/"

urlpatterns = [
    path("", sign_in.to_project),
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("preferences", sign_in.save_preferences, name="preferences"),
    path(_AT, home.home, name="home"),
    path(f"{_AT}features", catalogue.catalogue, name="catalogue"),
    path(f"{_AT}features/<str:name>", view.view, name="view"),
    path(f"{_AT}features/<str:name>/<str:action>", view.view_action, name="view_action"),
    path(f"{_AT}runs", runs.run_list, name="run_list"),
    path(f"{_AT}runs/<id:id>", runs.run, name="run"),
    path(f"{_AT}runs/<id:id>/<str:action>", runs.run_action, name="run_action"),
    path(f"{_AT}incidents", incidents.incident_list, name="incident_list"),
    path(f"{_AT}incidents/INC-<id:number>", incidents.incident, name="incident"),
    path(f"{_AT}incidents/INC-<id:number>/<str:action>", incidents.incident_action, name="incident_action"),
    path("incidents/INC-<id:number>", incidents.incident_anywhere, name="incident_anywhere"),
    path(f"{_AT}lineage", lineage.lineage, name="lineage"),
    path(f"{_AT}playground", playground.playground, name="playground"),
    path("settings/channels", channels.channels, name="channels"),
    path("settings/channels/<id:id>/<str:action>", channels.channel_action, name="channel_action"),
    path("settings/silences", silences.silences, name="silences"),
    path("settings/silences/<id:id>/<str:action>", silences.silence_action, name="silence_action"),
    path("settings/tokens", tokens.tokens, name="tokens"),
    path("settings/tokens/<id:id>/<str:action>", tokens.token_action, name="token_action"),
    path("settings/system", system.system, name="system"),
    path("docs/errors", errors.error_codes, name="error_codes"),
    path("audit", audit.audit, name="audit"),
    re_path(r"^(?P<rest>features|incidents|runs|lineage|playground)$", sign_in.to_project),
]
