"""STORE_URL and FRESHLINE_STORES: checked at start, their passwords never told."""

import pytest

from controlplane.project.environment import BadSetting, read


def test_without_the_setting_there_are_no_further_stores():
    assert read({})["FRESHLINE_STORES"] == {}


def test_further_stores_are_read_by_name():
    stores = read({"FRESHLINE_STORES": '{"fast": "redis://h:1/0", "old": "sqlite:///x"}'})["FRESHLINE_STORES"]
    assert stores == {"fast": "redis://h:1/0", "old": "sqlite:///x"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast=redis://:hunter2@h", "a JSON object"),
        ('["redis://:hunter2@h"]', "a JSON object"),
        ('{"default": "redis://:hunter2@h"}', "STORE_URL names"),
        ('{"Fast Store": "redis://:hunter2@h"}', "cannot name a store"),
        ('{"fast": "http://:hunter2@h"}', "the store fast: begin with one of sqlite://"),
        ('{"fast": 1}', "must be a text"),
        ('{"fast": "redis://a", "fast": "redis://:hunter2@h"}', "each name once"),
    ],
)
def test_what_cannot_be_used_is_told_without_its_passwords(text, said):
    with pytest.raises(BadSetting) as refused:
        read({"FRESHLINE_STORES": text})
    assert said in str(refused.value) and "FRESHLINE_STORES" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_every_scheme_that_can_be_opened_may_be_named():
    for scheme in ("sqlite", "redis", "rediss", "redis+cluster", "rediss+cluster"):
        assert read({"STORE_URL": f"{scheme}://x"})["STORE_URL"] == f"{scheme}://x"
