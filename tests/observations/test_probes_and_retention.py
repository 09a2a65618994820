"""Probes, and forgetting in small batches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.observations import selectors
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.domain.report import parse
from controlplane.observations.models import HalfHourCount, MinuteCount, Probe, ReportReceipt, SampledLookup
from controlplane.observations.services import retention
from controlplane.observations.services.probes import record_probe
from controlplane.observations.services.reports import record_report
from tests.observations.reports import MINUTE, NOW, minute, report, sampled

pytestmark = pytest.mark.django_db
FORTNIGHT = timedelta(days=14)
PROBE = ProbeResult(
    project="flights",
    view="carrier_delays",
    at=NOW,
    keys_known=1_000,
    keys_read=200,
    found=190,
    missing=8,
    invalid=2,
    age_p50=timedelta(seconds=3),
    age_p95=timedelta(minutes=20, microseconds=1),
    age_max=timedelta(days=40),
    stale_share=0.05,
    late_share=0.1,
    store_latency_us=850,
)


def test_a_probe_is_told_as_it_was_recorded():
    record_probe(PROBE)
    assert selectors.latest_probe("flights", "carrier_delays") == PROBE
    assert selectors.latest_probe("flights", "other") is None


def test_a_probe_that_read_nothing_says_why():
    failed = ProbeResult("flights", "carrier_delays", NOW, 10, 0, 0, 0, 0, error="x" * 900)
    record_probe(failed)
    assert selectors.latest_probe("flights", "carrier_delays") == replace(failed, error="x" * 500)


def test_the_latest_probe_and_those_of_a_time():
    probes = [replace(PROBE, at=NOW + timedelta(seconds=30 * n), found=n) for n in range(4)]
    for probe in reversed(probes):
        record_probe(probe)
    record_probe(replace(PROBE, view="other"))
    assert selectors.latest_probe("flights", "carrier_delays") == probes[3]
    start, end = NOW + timedelta(seconds=30), NOW + timedelta(seconds=90)
    assert selectors.probes_between("flights", "carrier_delays", start=start, end=end) == probes[1:3]
    latest = selectors.latest_probes("flights", since=NOW)
    assert latest == {"carrier_delays": probes[3], "other": replace(PROBE, view="other")}
    assert set(selectors.latest_probes("flights", since=NOW + timedelta(seconds=1))) == {"carrier_delays"}


def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays():
    def fill(at, sequence):
        past = int(at.timestamp())
        document = report(
            minute(minute=past // 60), sampled=[sampled(at_us=past * 1_000_000)], sequence=sequence
        )
        record_report(parse(document, now=at), now=at, retention=FORTNIGHT)
        record_probe(replace(PROBE, at=at))

    fill(NOW, 1)
    fill(NOW + timedelta(days=15), 2)
    later = NOW + timedelta(days=15)
    assert retention.sweep(now=later, retention=FORTNIGHT) == 5  # the receipt stays one day longer
    assert retention.sweep(now=later + timedelta(seconds=1), retention=FORTNIGHT) == 1
    assert retention.sweep(now=later + timedelta(seconds=1), retention=FORTNIGHT) == 0
    assert [row.minute for row in MinuteCount.objects.all()] == [MINUTE + 15 * 24 * 60]
    assert Probe.objects.get().at == later
    assert {row.number for row in HalfHourCount.objects.all()} == {(MINUTE + 15 * 24 * 60) // 30}
    assert ReportReceipt.objects.get().sequence == 2
    assert SampledLookup.objects.count() == 1


def test_a_sweep_takes_one_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(retention, "_BATCH", 2)
    for n in range(5):
        record_probe(replace(PROBE, at=NOW + timedelta(seconds=n)))
    later = NOW + timedelta(days=15)
    assert [retention.sweep(now=later, retention=FORTNIGHT) for _ in range(4)] == [4, 2, 1, 0]


def test_sampled_lookups_are_bounded_in_number(monkeypatch):
    monkeypatch.setattr(retention, "SAMPLED_KEPT", 3)
    document = report(sampled=[sampled(key_sha256=f"{n:064x}") for n in range(5)])
    record_report(parse(document, now=NOW), now=NOW, retention=FORTNIGHT)
    assert retention.sweep(now=NOW, retention=FORTNIGHT) == 2
    assert len(selectors.recent_lookups("flights", "carrier_delays")) == 3
