"""Settings that cannot be used are refused by name, with the repair."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.config import SettingError, load


@pytest.mark.parametrize(
    ("name", "value", "repair"),
    [
        ("SECRET_KEY", "abc", "Use 32 random ones or more"),
        ("CURRENCY", "zzzz", "such as USD, EUR or MXN"),
        ("DATABASE_URL", "foo", "Use sqlite:///path or postgresql://user@host/name."),
        ("QUEUE_URL", "foo", "Use sqlite:///path or redis://host:port/0."),
        ("DATABASE_URL", "sqlite://", "names no file"),
        ("DATABASE_URL", "sqlite:///:memory:", "names no file"),
        ("SECURE_COOKIES", "enabled", "Use yes or no."),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(tmp_path: Path, name: str, value: str, repair: str):
    with pytest.raises(SettingError) as refused:
        load({"PAIRBOOK_INSTANCE": str(tmp_path), f"PAIRBOOK_{name}": value})
    assert f"PAIRBOOK_{name}" in str(refused.value)
    assert repair in str(refused.value)
    assert "abc" not in str(refused.value), "a secret is not printed"


def test_a_currency_may_be_typed_in_small_letters(tmp_path: Path):
    assert load({"PAIRBOOK_INSTANCE": str(tmp_path), "PAIRBOOK_CURRENCY": " mxn "}).currency == "MXN"


def test_a_name_in_the_file_that_is_no_setting_is_refused(tmp_path: Path):
    (tmp_path / "config.toml").write_text("secure_cookie = true\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"“secure_cookie”, which is no setting.*secure_cookies"):
        load({"PAIRBOOK_INSTANCE": str(tmp_path)})


def test_the_file_takes_names_of_the_environment_and_lists(tmp_path: Path):
    words = 'PAIRBOOK_PORT = 8123\nsecure_cookies = true\noutbound_allow = ["127.0.0.0/8", "10.1.0.0/16"]\n'
    (tmp_path / "config.toml").write_text(words, encoding="utf-8")
    found = load({"PAIRBOOK_INSTANCE": str(tmp_path)})
    assert (found.port, found.secure_cookies) == (8123, True)
    assert [str(network) for network in found.outbound_allow] == ["127.0.0.0/8", "10.1.0.0/16"]
    assert load({"PAIRBOOK_INSTANCE": str(tmp_path), "PAIRBOOK_PORT": "8124"}).port == 8124
