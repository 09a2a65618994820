"""Tokens, teams, memberships, audit."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts import selectors
from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope, address_of
from controlplane.accounts.models import AuditEntry, Team, Token
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock
from controlplane.rest.idempotency import idempotent
from controlplane.rest.pagination import paginate
from controlplane.rest.serialize import Body, instant, validated


class TokenRequest(Body):
    """Body of POST /tokens."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField([scope.value for scope in Scope]))
    projects = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class MembershipRequest(Body):
    """Body of POST and DELETE /memberships."""

    team = serializers.CharField(max_length=63)
    username = serializers.CharField(max_length=150)


class RoleRequest(Body):
    """Body of PUT /teams/{team}/roles/{project}."""

    role = serializers.ChoiceField([role.word for role in Role], allow_null=True)


class TokensView(ApiView):
    """The caller's tokens; an installation administrator sees all."""

    access = {"GET": Access(Scope.READ), "POST": Access(Scope.ADMIN)}
    shown_once = frozenset({"token"})

    @extend_schema(summary="List tokens", responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        return paginate(request, selectors.tokens_of(request.principal), key="-id", render=_token)

    @extend_schema(
        summary="Make a token; its secret is in this answer and nowhere else",
        request=TokenRequest,
        responses={201: dict},
    )
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        body = validated(TokenRequest, request)
        made = tokens.create_token(request.principal, now=clock.now(), address=address_of(request), **body)
        answer = {
            "id": made.id,
            "name": made.name,
            "token": made.secret,
            "prefix": made.prefix,
            "expires_at": instant(made.expires_at),
        }
        return Response(answer, status=201)


class TokenView(ApiView):
    """One token."""

    access = {"DELETE": Access(Scope.ADMIN)}

    @extend_schema(summary="Revoke a token", responses={204: None})
    def delete(self, request: ApiRequest, token_id: int) -> Response:
        tokens.revoke_token(request.principal, token_id, now=clock.now(), address=address_of(request))
        return Response(status=204)


class TeamsView(ApiView):
    """Teams with their members and roles."""

    access = {"GET": Access(Scope.ADMIN, Role.ADMIN, installation=True)}

    @extend_schema(summary="List teams", responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        return paginate(request, selectors.teams(), key="name", render=_team)


class TeamView(ApiView):
    """One team."""

    access = {"PUT": Access(Scope.ADMIN, Role.ADMIN, installation=True)}

    @extend_schema(summary="Make a team", request=None, responses={204: None})
    def put(self, request: ApiRequest, team: str) -> Response:
        teams.ensure_team(team, actor=request.principal.name, now=clock.now())
        return Response(status=204)


class TeamRoleView(ApiView):
    """A team's role in a project."""

    access = {"PUT": Access(Scope.ADMIN, Role.ADMIN)}

    @extend_schema(
        summary="Give a team its role in a project; null takes it away",
        request=RoleRequest,
        responses={204: None},
    )
    def put(self, request: ApiRequest, team: str, project: str) -> Response:
        word = validated(RoleRequest, request)["role"]
        role = Role[word.upper()] if word else None
        teams.set_role(team=team, project=project, role=role, actor=request.principal.name, now=clock.now())
        return Response(status=204)


class MembershipsView(ApiView):
    """Who is in which team. Membership grants roles in every project of the team."""

    access = {
        "POST": Access(Scope.ADMIN, Role.ADMIN, installation=True),
        "DELETE": Access(Scope.ADMIN, Role.ADMIN, installation=True),
    }

    @extend_schema(summary="Put a person into a team", request=MembershipRequest, responses={204: None})
    def post(self, request: ApiRequest) -> Response:
        return self._set(request, member=True)

    @extend_schema(summary="Take a person out of a team", request=MembershipRequest, responses={204: None})
    def delete(self, request: ApiRequest) -> Response:
        return self._set(request, member=False)

    def _set(self, request: ApiRequest, *, member: bool) -> Response:
        body = validated(MembershipRequest, request)
        teams.set_member(**body, member=member, actor=request.principal.name, now=clock.now())
        return Response(status=204)


class AuditView(ApiView):
    """The audit log."""

    access = {"GET": Access(Scope.READ, Role.ADMIN)}

    @extend_schema(summary="Who did what, newest first", responses={200: dict})
    def get(self, request: ApiRequest) -> Response:
        entries = selectors.audit_entries(request.principal, project=request.query_params.get("project"))
        return paginate(request, entries, key="-id", render=_entry)


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "projects": token.projects,
        "made_by": token.maker.get_username(),
        "created_at": instant(token.created_at),
        "expires_at": instant(token.expires_at),
        "revoked_at": instant(token.revoked_at),
        "last_used_at": instant(token.last_used_at),
        "last_used_from": token.last_used_from,
    }


def _team(team: Team) -> dict[str, Any]:
    return {
        "name": team.name,
        "members": sorted(membership.user.get_username() for membership in team.memberships.all()),
        "roles": {role.project: Role(role.role).word for role in team.roles.all()},
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": instant(entry.at),
        "actor": entry.actor,
        "project": entry.project or None,
        "action": entry.action,
        "object": {"kind": entry.object_kind, "name": entry.object_name},
        "before": entry.before,
        "after": entry.after,
        "address": entry.address,
        "request_id": entry.request_id,
    }


urlpatterns = [
    path("tokens", TokensView.as_view()),
    path("tokens/<id:token_id>", TokenView.as_view()),
    path("teams", TeamsView.as_view()),
    path("teams/<str:team>", TeamView.as_view()),
    path("teams/<str:team>/roles/<str:project>", TeamRoleView.as_view()),
    path("memberships", MembershipsView.as_view()),
    path("audit", AuditView.as_view()),
]
