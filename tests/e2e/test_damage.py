"""What is damaged on a disk is told where a person sees it, serves nobody, and mends by what comes next."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from store_adapters import encode_key
from tests.e2e.baskets import Shop
from tests.e2e.house import eventually, get

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def shop(brittle):
    made = Shop(brittle)
    eventually(lambda: made.ask() == (200, ["PRESENT", "PRESENT"]), within=30)
    return made


def test_a_corrupt_row_is_invalid_and_a_violation_until_it_is_written_again(brittle, shop):
    eventually(lambda: shop.health() == "fresh", within=90, every=0.5)
    damage_row(brittle, shop, user=0)
    eventually(lambda: shop.ask() == (200, ["INVALID", "PRESENT"]), within=5)
    assert (
        f'freshline_serving_corrupt_rows_total{{project="{shop.project}"'
        in get(brittle.serving + "/metrics")[1]
    )
    eventually(lambda: shop.health() == "violating", within=90, every=0.5)
    assert [one["view"] for one in eventually(shop.open_incidents, within=30)] == [shop.view]
    shop.post([0])
    assert shop.ask() == (200, ["PRESENT", "PRESENT"])
    eventually(lambda: shop.health() == "fresh", within=90, every=0.5)
    eventually(lambda: not shop.open_incidents(), within=60, every=0.5)


def test_a_corrupt_bundle_is_refused_and_serves_nobody_until_a_good_one_comes(brittle, shop):
    brittle.kill("web")
    try:
        path = brittle.home / "serving" / "bundle"
        kept = path.read_bytes()
        path.write_bytes(kept.replace(b'"max_age_us":3600000000', b'"max_age_us":3600000001'))
        assert path.read_bytes() != kept
        restart_serving(brittle)
        eventually(lambda: shop.ask() == (503, "no_bundle"), within=30)
        assert get(brittle.serving + "/ready")[0] == 503
        assert "refused a bundle" in (brittle.home / "logs" / "serving.log").read_text()
    finally:
        brittle.start("web")
    eventually(lambda: shop.ask() == (200, ["PRESENT", "PRESENT"]), within=30)


def test_a_disk_that_takes_no_bundle_holds_up_neither_bundles_nor_lookups(brittle, shop):
    kept, number = brittle.home / "serving", brittle.counted("bundle_number")
    dropped = brittle.counted("reports_dropped_total")
    assert brittle.counted("bundle_kept") == 1
    kept.rename(kept.with_name("away"))
    kept.touch()
    try:
        shop.apply(max_age="2h")
        eventually(lambda: brittle.counted("bundle_number") > number, within=10)
        assert brittle.counted("bundle_kept") == 0
        assert "could not be kept for the next start" in (brittle.home / "logs" / "serving.log").read_text()
        assert shop.ask() == (200, ["PRESENT", "PRESENT"])
    finally:
        kept.unlink()
        kept.with_name("away").rename(kept)
    shop.apply(max_age="3h")
    eventually(lambda: brittle.counted("bundle_kept"), within=10)
    assert brittle.counted("reports_dropped_total") == dropped
    brittle.kill("web")
    try:
        restart_serving(brittle)
        eventually(lambda: shop.ask() == (200, ["PRESENT", "PRESENT"]), within=30)
        assert brittle.counted("bundle_number") > number + 1
    finally:
        brittle.start("web")


def damage_row(house, shop, *, user):
    """Flip a bit of a stored value, as a bad disk might."""
    key = encode_key([("user_id", "int64", user)])
    place = "WHERE project=? AND entity_key=? AND view=?"
    with closing(sqlite3.connect(house.home / "store.sqlite3", timeout=30)) as store:
        (row,) = store.execute(f"SELECT row FROM fl_rows {place}", (shop.project, key, shop.view)).fetchone()
        damaged = row[:-6] + bytes([row[-6] ^ 1]) + row[-5:]
        store.execute(f"UPDATE fl_rows SET row=? {place}", (damaged, shop.project, key, shop.view))
        store.commit()


def restart_serving(house):
    before = house.pid("serving")
    os.kill(before, signal.SIGTERM)
    eventually(lambda: house.pid("serving") not in (0, before), within=60)
