"""Applying definitions."""

import json

import pytest

from controlplane.registry import selectors
from controlplane.registry.services.applying import Author, apply_definition
from tests.registry.story import FLIGHTS, NOW

ROOT = Author("root", may_create_projects=True)


@pytest.mark.django_db
def test_an_apply_is_found_by_the_selectors():
    applied = apply_definition("flights", FLIGHTS, author=ROOT, now=NOW)
    record = selectors.find_view("flights", "carrier_delays")
    assert (record.contract_number, record.layout.number) == (1, 1)
    assert [column.name for column in record.layout.columns] == ["avg_dep_delay", "flights_1d", "last_tail"]
    assert [key.name for key in record.join_keys] == ["carrier"]
    assert [reader.name for reader in record.readers] == ["delay_ranker"]
    assert applied.bundle == selectors.current_bundle()
    bundle = json.loads(applied.bundle.body)
    assert bundle["number"] == 1
    again = apply_definition("flights", FLIGHTS, author=ROOT, now=NOW)
    assert again.bundle == applied.bundle
