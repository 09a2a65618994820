"""What STORE_URL may say, and what is never repeated of it."""

import sys
from pathlib import Path

import pytest

from controlplane.kernel.errors import Refused
from store_adapters import open_store


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqlite:///var/lib/store.db", "sqlite:///var/lib/store.db"),
        ("sqlite:///var/my%20store.db", "sqlite:///var/my store.db"),
        ("redis://cache", "redis://cache:6379/0"),
        ("redis://cache:7000/3", "redis://cache:7000/3"),
        ("redis://user:hunter2@cache:7000/3", "redis://cache:7000/3"),
        ("rediss://:hunter2@cache:7000", "rediss://cache:7000/0"),
        ("redis+cluster://a:1,b:2,c:3", "redis+cluster://a:1,b:2,c:3"),
        ("redis+cluster://[::1]:1/", "redis+cluster://::1:1"),
        ("dynamodb://eu-west-1/features", "dynamodb://eu-west-1/features"),
        (
            "dynamodb://local/a.b-C_9?endpoint=http%3A%2F%2F127.0.0.1:8001",
            "dynamodb://local/a.b-C_9?endpoint=http://127.0.0.1:8001",
        ),
        ("rediss+cluster://user:hunter2@a:1,b:2", "rediss+cluster://a:1,b:2"),
    ],
)
def test_a_url_opens_a_store_without_contacting_it(url: str, address: str):
    store = open_store(url)
    assert store.address == address
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "postgresql://user:hunter2@db/store",
        "sqlite://store.db",
        "sqlite://",
        "sqlite:///",
        "sqlite::memory:",
        "redis://user:hunter2@/0",
        "redis://cache:port/0",
        "redis://cache/zero",
        "redis+cluster://user:hunter2@a",
        "redis+cluster://a:1,",
        "redis+cluster://",
        "redis+cluster://a:x",
        "dynamodb://eu-west-1",
        "dynamodb://eu-west-1/",
        "dynamodb:///features",
        "dynamodb://eu-west-1/a/b",
        "dynamodb://id:hunter2@eu-west-1/features",
        "dynamodb://eu-west-1/features?endpoint=ftp://h",
        "dynamodb://eu-west-1/features?endpoint=http://",
        "dynamodb://eu-west-1/features?endpoint=http://h:port",
        "dynamodb://eu-west-1/features?endpoint=http://id:hunter2@h",
        "dynamodb://eu-west-1/features?secret=hunter2",
        "dynamodb://eu-west-1/features?nothing",
    ],
)
def test_another_url_is_refused_with_the_forms_there_are_and_no_secret(url: str):
    with pytest.raises(Refused, match=r"redis\+cluster://\[user:password@\]host:port,host:port") as caught:
        open_store(url)
    assert caught.value.code == "bad_value"
    assert "hunter2" not in caught.value.detail


def test_without_boto3_a_dynamodb_store_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("store_adapters.dynamo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    with pytest.raises(Refused, match=r"needs the Python package boto3.*freshline\[dynamodb\]"):
        open_store("dynamodb://eu-west-1/features")


def test_a_sqlite_store_makes_its_folder_on_first_use(tmp_path: Path):
    store = open_store(f"sqlite://{tmp_path}/new/folder/store.db")
    assert not (tmp_path / "new").exists()
    store.ping()
    assert (tmp_path / "new/folder/store.db").exists()
