"""Every page in every state: empty, normal, broken, huge. Rendered by the tests and shown by the gallery."""

from dataclasses import dataclass, field

from controlplane.kernel.codes import CODES
from frontend.records import incidents
from frontend.states import HEALTH, RUNS
from tests.frontend import story, story_find, story_settings, story_view, story_work

LONG = "<script>alert(1)</script>" + "x" * 80
CONTEXT = {
    "healths": tuple(HEALTH.items()),
    "run_states": tuple(RUNS.items()),
    "lanes": ("batch", "stream", "direct"),
    "ranges": ("1h", "6h", "24h", "7d"),
    "silence_choices": (("15m", "15 minutes"), ("1h", "1 hour"), ("4h", "4 hours")),
    "silence_labels": ("tier", "owner", "view", "kind", "severity"),
    "silence_ops": ("=", "!=", "=~", "!~"),
    "severities": ("critical", "warning", "info"),
    "channel_kinds": (
        ("slack_webhook", "Slack webhook", "The address of an incoming webhook"),
        ("pagerduty", "PagerDuty", "The routing key of an Events v2 integration"),
    ),
}


@dataclass(frozen=True)
class Case:
    template: str
    page: object = None
    active: str = ""
    shell: object = field(default_factory=story.shell)
    extra: dict = field(default_factory=dict)


CALM = story.shell(my_open_incidents=0, open_incidents=0)
BEHIND = story.shell(bars=(story.BEHIND,))


def _home() -> dict[str, Case]:
    return {
        "home-broken": Case("home.html", story.home_page(), "home"),
        "home-normal": Case("home.html", story.quiet_home(), "home", CALM),
        "home-empty": Case("home.html", story.empty_home(), "home", CALM),
        "home-huge": Case("home.html", story.huge_home(), "home", BEHIND),
    }


def _catalogue() -> dict[str, Case]:
    return {
        "catalogue-normal": Case("catalogue.html", story_find.catalogue_page(), "catalogue"),
        "catalogue-features": Case("catalogue.html", story_find.features_page(), "catalogue"),
        "catalogue-nothing": Case(
            "catalogue.html",
            story_find.catalogue_page(0, query="drivr", did_you_mean=("hourly_weather",)),
            "catalogue",
        ),
        "catalogue-empty": Case("catalogue.html", story_find.catalogue_page(0, exists=False), "catalogue"),
        "catalogue-huge": Case(
            "catalogue.html", story_find.catalogue_page(50, query="x"), "catalogue", BEHIND
        ),
    }


def _view() -> dict[str, Case]:
    return {
        "view-broken": Case("view.html", story_view.view_page(), "catalogue"),
        "view-normal": Case(
            "view.html", story_view.view_page(state="fresh", incident=None, age=story.minutes(3)), "catalogue"
        ),
        "view-contract": Case(
            "view.html",
            story_view.view_page(
                tab="contract",
                overview=None,
                contract=story_view.contract(comparison=story_view.comparison()),
            ),
            "catalogue",
        ),
        "view-runs": Case(
            "view.html",
            story_view.view_page(tab="runs", overview=None, runs=story_work.run_list().rows),
            "catalogue",
        ),
        "view-empty": Case(
            "view.html",
            story_view.view_page(
                state="no_data",
                since=None,
                age=None,
                limit=None,
                incident=None,
                description="",
                tags=(),
                tier="",
                runbook="",
                cells=(),
                overview=story_view.overview(
                    figure=None,
                    summary="Nothing was measured in the last 24 h.",
                    points=(),
                    strips=(),
                    receivers=(),
                    map_nodes=(),
                    map_edges=(),
                    map_cause=(),
                    snippets=(),
                ),
            ),
            "catalogue",
        ),
    }


def _runs() -> dict[str, Case]:
    return {
        "runs-normal": Case("run_list.html", story_work.run_list(), "runs"),
        "runs-none": Case("run_list.html", story_work.run_list(live=(), rows=(), state="failed"), "runs"),
        "runs-empty": Case("run_list.html", story_work.run_list(exists=False), "runs"),
        "run-broken": Case("run.html", story_work.run_page(), "runs"),
        "run-live": Case("run.html", story_work.run_page("running", refused=(), previous=None), "runs"),
        "run-held": Case("run.html", story_work.run_page("held", refused=()), "runs"),
        "run-stream": Case(
            "run.html",
            story_work.run_page(
                run=story_work.run_row(lane="stream", state="failed", trigger="continuous"),
                phases=(),
                gap="partition 0 begins at 812, the cursor stands at 640",
            ),
            "runs",
        ),
        "run-normal": Case(
            "run.html",
            story_work.run_page("succeeded", watermark_after=story.ago(minutes=1), refused=()),
            "runs",
        ),
    }


def _inbox() -> dict[str, Case]:
    rows = (
        story_work.incident_row(),
        story_work.incident_row(
            number=141, state="acknowledged", acknowledged_by="grace", cause="", consumers=None, deliveries=()
        ),
        story_work.incident_row(
            number=140, state="silenced", silenced_until=story.NOW + story.minutes(50), title=LONG
        ),
    )
    return {
        "incidents-broken": Case("incident_list.html", story_work.inbox(rows), "incidents"),
        "incidents-resolved": Case(
            "incident_list.html",
            story_work.inbox(
                (story_work.incident_row(state="resolved", resolved_at=story.ago(minutes=2)),),
                tab="resolved",
                after="142",
            ),
            "incidents",
        ),
        "incidents-narrowed": Case(
            "incident_list.html", story_work.inbox((), severity="info", owner="team-weather"), "incidents"
        ),
        "incidents-empty": Case("incident_list.html", story_work.inbox(()), "incidents", CALM),
    }


def _incident() -> dict[str, Case]:
    return {
        "incident-broken": Case("incident.html", story_work.incident_page(), "incidents"),
        "incident-resolved": Case(
            "incident.html",
            story_work.incident_page(
                state="resolved",
                health="fresh",
                resolved_at=story.ago(minutes=2),
                acknowledged_by="grace",
                acknowledged_at=story.ago(minutes=9),
            ),
            "incidents",
        ),
        "incident-unknown": Case(
            "incident.html",
            story_work.incident_page(
                chain=(),
                confidence="",
                reason="",
                alternatives=(),
                consumers=(),
                timeline=(),
                runbook="",
                silenced_until=story.NOW,
                silenced_reason="planned",
                parent=7,
                children=(8, 9),
            ),
            "incidents",
        ),
    }


def _more_incidents() -> dict[str, Case]:
    return {
        "incident-of-a-channel": Case(
            "incident.html",
            story_work.incident_page(
                title="channel weather-alerts refuses messages for good: HTTP 404 no_service",
                summary="channel weather-alerts refuses messages for good: HTTP 404 no_service",
                health="",
                view="",
                node="meta:channel weather-alerts",
                severity="info",
                chain=(),
                reason="",
                alternatives=(),
                consumers=(),
                views=(),
                messages=(),
                runbook="",
            ),
            "incidents",
        ),
        "incident-prepared": Case("incident.html", story_work.incident_page(prepared="silence"), "incidents"),
        "incident-huge": Case(
            "incident.html",
            story_work.incident_page(
                title=LONG,
                timeline=tuple(incidents.TimelineEntry(story.NOW, "note", LONG, "ada") for _ in range(60)),
                left_out=True,
                more_views=12_345,
                runbook=f"https://wiki.example.org/{LONG.replace(' ', '-')}",
                children=tuple(range(1, 40)),
                messages=tuple(
                    incidents.Message(LONG, "opened", "dead", story.NOW, 12, LONG) for _ in range(12)
                ),
            ),
            "incidents",
            BEHIND,
        ),
    }


def _finding() -> dict[str, Case]:
    return {
        "lineage-normal": Case("lineage.html", story_find.lineage_page(), "lineage"),
        "lineage-table": Case("lineage.html", story_find.lineage_page(mode="table"), "lineage"),
        "lineage-start": Case("lineage.html", story_find.lineage_start(), "lineage"),
        "lineage-empty": Case("lineage.html", story_find.lineage_start(problems=(), views=()), "lineage"),
        "channels-normal": Case("channels.html", story_settings.channels_page(), "channels"),
        "channels-changing": Case(
            "channels.html",
            story_settings.channels_page(
                editing=story_settings.CHANNEL, errors=(("secret", "the URL must begin with https://"),)
            ),
            "channels",
        ),
        "channels-broken": Case("channels.html", story_settings.failed_test(), "channels"),
        "channels-empty": Case(
            "channels.html",
            story_settings.channels_page(channels=(), silences=(), unreachable_views=0, may_administer=False),
            "channels",
        ),
    }


def _playground() -> dict[str, Case]:
    return {
        "playground-normal": Case("playground.html", story_find.playground_page(), "playground"),
        "playground-answered": Case("playground.html", story_find.answered(), "playground"),
        "playground-broken": Case(
            "playground.html",
            story_find.playground_page(
                error="Serving at 127.0.0.1:6566 does not answer.",
                field_errors=(("keys", "Line 1 names no join key: write origin=…"),),
            ),
            "playground",
        ),
        "playground-token": Case(
            "playground.html",
            story_find.playground_page(
                field_errors=(("token", "Serving looks up for tokens only. Make one with the scope lookup."),)
            ),
            "playground",
        ),
        "playground-empty": Case(
            "playground.html", story_find.playground_page(choices=(), target=""), "playground"
        ),
        "playground-forbidden": Case(
            "playground.html", story_find.playground_page(may_lookup=False), "playground"
        ),
    }


def _settings() -> dict[str, Case]:
    return {
        "tokens-normal": Case("tokens.html", story_settings.tokens_page(), ""),
        "tokens-made": Case(
            "tokens.html",
            story_settings.tokens_page(
                secret="fl_abcdefghijklmnop", secret_name="nightly", errors=(("name", "Too long."),)
            ),
            "",
        ),
        "tokens-empty": Case("tokens.html", story_settings.tokens_page(tokens=()), ""),
        "system-broken": Case("system.html", story_settings.system_page(), "system", BEHIND),
        "system-empty": Case("system.html", story_settings.system_page(serving=(), bundle=None), "system"),
        "audit-normal": Case("audit.html", story_settings.audit_page(), "audit"),
        "audit-empty": Case("audit.html", story_settings.audit_page(rows=(), after=""), "audit"),
    }


def _doors() -> dict[str, Case]:
    return {
        "sign-in": Case("sign_in.html", extra={"next": "/", "username": ""}),
        "sign-in-broken": Case(
            "sign_in.html",
            extra={"next": "/", "username": "ada", "error": "This name and password do not go together."},
        ),
        "error-codes": Case("error_codes.html", tuple(CODES.items())),
        "not-found": Case(
            "error.html",
            extra={
                "title": "Not found",
                "detail": "There is no feature view 'drivr' in project 'flights'.",
                "near": (("hourly_weather", "/p/flights/features/hourly_weather"),),
                "request_id": "9f2c",
            },
        ),
        "forbidden": Case(
            "error.html",
            extra={
                "title": "Not allowed",
                "detail": "This needs the role 'editor' in project 'flights'; yours is 'viewer'.",
                "request_id": "9f2c",
            },
        ),
        "welcome": Case(
            "welcome.html", shell=story.shell(project="", projects=(), my_open_incidents=0, open_incidents=0)
        ),
    }


CASES = {
    **_home(),
    **_catalogue(),
    **_view(),
    **_runs(),
    **_inbox(),
    **_incident(),
    **_more_incidents(),
    **_finding(),
    **_playground(),
    **_settings(),
    **_doors(),
}
