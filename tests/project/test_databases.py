"""What DATABASE_URL comes to."""

import os

import psycopg
import pytest

from controlplane.project import databases


def options(url):
    return databases.configure(url)["OPTIONS"]


def test_a_postgresql_that_went_silent_is_given_up_within_seconds():
    found = options("postgresql://ada@db:5433/freshline")
    assert found["connect_timeout"] <= 5
    silence = found["keepalives_idle"] + found["keepalives_interval"] * found["keepalives_count"]
    assert silence <= 30 and found["tcp_user_timeout"] <= 30_000


def test_the_url_decides_over_our_patience():
    found = options("postgresql://ada@db/freshline?tcp_user_timeout=60000&sslmode=require")
    assert (found["tcp_user_timeout"], found["sslmode"]) == ("60000", "require")


@pytest.mark.postgres
def test_libpq_takes_what_we_ask_for():
    url = os.environ.get("FRESHLINE_TEST_POSTGRES_URL")
    assert url, "FRESHLINE_TEST_POSTGRES_URL names no PostgreSQL: ./dev test starts one"
    with psycopg.connect(url, **options(url)) as connection:
        known = connection.info.get_parameters()
    assert known["tcp_user_timeout"] == "15000" and known["keepalives_count"] == "2"


def test_one_writer_at_a_time_waits_for_the_other_on_sqlite():
    found = options("sqlite:////srv/control.sqlite3")
    assert (found["transaction_mode"], found["timeout"]) == ("IMMEDIATE", 20)
