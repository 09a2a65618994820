"""Reports that come at once, each in a connection of its own, lose nothing and count nothing twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from controlplane.observations import selectors
from controlplane.observations.domain.report import parse
from controlplane.observations.models import MinuteCount
from controlplane.observations.services.reports import record_report
from tests.observations.reports import MINUTE, NOW, minute, report

pytestmark = pytest.mark.django_db(transaction=True)


def test_reports_at_once_add_up_and_never_block_each_other_for_good():
    minutes = [minute(view=f"view_{n}", minute=MINUTE - n % 2) for n in range(6)]
    documents = [
        report(
            *(minutes if number % 2 else reversed(minutes)),
            sequence=number % 5,
            instance=f"edge-{number % 2}",
        )
        for number in range(20)
    ]
    counted = []

    def send(document):
        try:
            counted.append(record_report(parse(document, now=NOW), now=NOW, retention=timedelta(days=14)))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[document]) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    assert (counted.count(True), counted.count(False)) == (10, 10)
    assert MinuteCount.objects.count() == 6
    lately = {"start": NOW - timedelta(minutes=10), "end": NOW + timedelta(minutes=1)}
    sums = selectors.sums_by_view("flights", **lately)
    assert {view: found.requests for view, found in sums.items()} == {f"view_{n}": 20 for n in range(6)}
