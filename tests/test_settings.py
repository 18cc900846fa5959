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
