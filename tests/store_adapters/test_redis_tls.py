"""Redis over TLS, under an authority of its own, for a user with a password."""

import os
from pathlib import Path

import pytest

from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused, Unavailable
from store_adapters import Column, Lane, Layout, Row, RowWrite, encode_row, open_store

LAYOUT = Layout(1, (Column("x", Dtype.INT64),))


@pytest.fixture
def url() -> str:
    found = os.environ.get("FRESHLINE_TEST_REDIS_TLS_URL")
    assert found, (
        "FRESHLINE_TEST_REDIS_TLS_URL is not set: this test needs a real server; ./dev test starts one"
    )
    return found


def test_rows_are_written_and_read_over_tls_by_a_user_with_a_password(url):
    store = open_store(url)
    row = encode_row(
        Row(
            event_time_us=1,
            lane=Lane.DIRECT,
            position=1,
            layout_number=1,
            write_time_us=1,
            run_number=0,
            values=(7,),
        ),
        LAYOUT,
    )
    store.write_rows("tls_py", "v", [RowWrite(b"key", row, None)], run_number=0)
    assert store.read_rows("tls_py", "v", [b"key"]) == [row]
    assert "p%40ss" not in store.address
    assert "ca_file" not in store.address
    store.close()


@pytest.mark.parametrize(
    "changed",
    [
        lambda url: url.partition("?")[0],
        lambda url: url.partition("?")[0].replace("rediss://", "redis://"),
        lambda url: url.replace("p%40ss", "pass"),
        lambda url: url.replace("tester:p%40ss@", ""),
    ],
    ids=["another authority", "no TLS", "a wrong password", "no user"],
)
def test_a_server_that_cannot_prove_itself_or_a_wrong_password_gives_no_connection(url, changed):
    store = open_store(changed(url))
    with pytest.raises(Unavailable) as refused:
        store.ping()
    assert "p%40ss" not in refused.value.detail
    store.close()


def test_an_authority_that_cannot_be_read_is_said_at_once(tmp_path: Path):
    (tmp_path / "empty.pem").touch()
    for wrong in [
        "rediss://user:hunter2@h:1/0?ca_file=/nowhere/ca.pem",
        f"rediss+cluster://user:hunter2@h:1,g:1?ca_file={tmp_path}/empty.pem",
        f"redis://user:hunter2@h:1?ca_file={tmp_path}/empty.pem",
        "rediss://user:hunter2@h:1/0?ca=x",
        "rediss://user:hunter2@h:1/0?ssl_cert_reqs=none",
        "rediss://user:hunter2@h:1/0?",
    ]:
        with pytest.raises(Refused) as refused:
            open_store(wrong)
        assert "hunter2" not in refused.value.detail
