"""What serving posts about the lookups it answered."""

from django.conf import settings
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Scope
from controlplane.accounts.domain import refusal
from controlplane.kernel import clock
from controlplane.kernel.errors import FieldError, NotFound
from controlplane.observations.domain.report import parse
from controlplane.observations.services import reports

_REPORT = Access(Scope.SERVING)


class ObservationsView(ApiView):
    """Reports of serving processes."""

    access = {"POST": _REPORT}
    rate_limited = False  # one token serves every serving process

    @extend_schema(
        summary="Count what a serving process saw; a report that was counted before changes nothing",
        request=dict,
        responses={204: None},
    )
    def post(self, request: ApiRequest) -> Response:
        now = clock.now()
        report = parse(request.data, now=now)
        for project in sorted(report.projects()):
            refused = refusal(request.principal, _REPORT, project=project)
            if isinstance(refused, NotFound):
                # Its place tells the sender that the report is at fault and not the address: never again.
                found = FieldError(report.place_of(project), refused.code, refused.detail)
                raise NotFound(refused.code, refused.detail, errors=[found])
            if refused is not None:
                raise refused
        reports.record_report(report, now=now, retention=settings.FRESHLINE_OBSERVATION_RETENTION)
        return Response(status=204)


urlpatterns = [path("serving/observations", ObservationsView.as_view())]
