"""What serving asks for: the bundle, and who runs which."""

import time
from datetime import timedelta

from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from controlplane.accounts.auth import Access, ApiRequest, ApiView, Role, Scope
from controlplane.kernel import clock, durations
from controlplane.kernel.errors import Refused
from controlplane.registry import selectors
from controlplane.registry.api import reading
from controlplane.registry.domain.records import BundleRecord
from controlplane.registry.services.acknowledgements import Acknowledgement, record_acknowledgement
from controlplane.registry.services.bundles import refresh_bundle
from controlplane.rest.serialize import Body, validated

LONGEST_WAIT = timedelta(seconds=60)
_LOOKS_A_SECOND = 5
_LOOKS_A_REFRESH = 2 * _LOOKS_A_SECOND
# The bundle tells of every project: whoever reads it must be trusted with all of them.
_SERVING = Access(Scope.SERVING, Role.ADMIN, installation=True)


class BundleView(ApiView):
    """The newest bundle."""

    access = {"GET": _SERVING}
    rate_limited = False

    @extend_schema(
        summary="The bundle, byte for byte as its digest says",
        description="With `If-None-Match` and `wait`, answers as soon as there is another bundle, else 304.",
        parameters=[
            OpenApiParameter("wait", str, description="How long to wait for another bundle: 1s to 60s."),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
        ],
        responses={200: dict, 304: None},
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        known = reading.read_etags(request.headers.get("If-None-Match", ""))
        bundle = _wait_for_other(known, looks=1 + _read_wait(request) * _LOOKS_A_SECOND)
        headers = {"Freshline-Bundle-Number": str(bundle.number), **reading.etag(bundle.digest)}
        if bundle.digest in known:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(bundle.body, content_type="application/json", headers=headers)


class AcknowledgementRequest(Body):
    """Body of POST /serving/acknowledgements."""

    class Refusal(Body):
        """The bundle that a process would not take."""

        digest = serializers.RegexField(r"^[0-9a-f]{64}$")
        reason = serializers.CharField(max_length=500)

    instance = serializers.CharField(max_length=200)
    digest = serializers.RegexField(r"^[0-9a-f]{64}$")
    number = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    loaded_at_us = serializers.IntegerField(min_value=0, max_value=2**53)
    refused = Refusal(required=False, allow_null=True, default=None)
    build = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class AcknowledgementsView(ApiView):
    """What serving processes say of the bundle that they run."""

    access = {"POST": _SERVING}
    rate_limited = False

    @extend_schema(
        summary="Say which bundle this process runs, and which it refused",
        request=AcknowledgementRequest,
        responses={204: None},
    )
    def post(self, request: ApiRequest) -> Response:
        body = validated(AcknowledgementRequest, request)
        refused = body["refused"] or {"digest": "", "reason": ""}
        said = Acknowledgement(
            instance=body["instance"],
            digest=body["digest"],
            number=body["number"],
            loaded_at=clock.from_us(body["loaded_at_us"]),
            build=body["build"],
            refused_digest=refused["digest"],
            refused_reason=refused["reason"],
        )
        record_acknowledgement(said, now=clock.now())
        return Response(status=204)


def _read_wait(request: ApiRequest) -> int:
    text = request.query_params.get("wait")
    if text is None:
        return 0
    wait = durations.parse(text)
    if wait > LONGEST_WAIT:
        raise Refused("bad_value", f"wait is {text}; at most {durations.render(LONGEST_WAIT)}")
    return int(wait.total_seconds())


def _wait_for_other(known: set[str], *, looks: int) -> BundleRecord:
    """Return the newest bundle as soon as it is none of ``known``, at the latest after ``looks`` looks.

    No transaction is held while waiting, and the looks are counted, not timed: a clock that stands still or
    jumps makes nobody wait for ever.
    """
    for look in range(looks):
        if look:
            time.sleep(1 / _LOOKS_A_SECOND)
        if look % _LOOKS_A_REFRESH == 0:
            refresh_bundle(now=clock.now())
        if selectors.current_bundle_digest() not in known:
            break
    return selectors.current_bundle()


urlpatterns = [
    path("serving/bundle", BundleView.as_view()),
    path("serving/acknowledgements", AcknowledgementsView.as_view()),
]
