"""Which names a request may call us by, and what links for others begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import settings_for
from webapp.config import SettingError, Settings, load

PUBLIC = "https://pairbook.example.com"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An instance that was told where people find it."""
    return settings_for(settings.instance, PAIRBOOK_PUBLIC_URL=f"{PUBLIC}/")


@pytest.mark.parametrize("host", ["pairbook.example.com", "PAIRBOOK.example.com:443", "localhost:8000", "127.0.0.1"])
def test_our_own_names_are_answered(app, host):
    assert app.test_client().get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "pairbook.example.com.evil.example", "10.0.0.1", "x:1", "a@b"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_other_name_is_refused_in_words(app, host, method):
    answer = app.test_client().open("/login", method=method, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_links_for_others_begin_with_the_public_address(browse):
    page = browse("alice").post("/settings/people", data={"email": "dora@example.com", "role": "editor"}).text
    link = re.search(r'value="([^"]+/join/[^"]+)"', page).group(1)
    assert link.startswith(f"{PUBLIC}/join/")
    assert "PAIRBOOK_PUBLIC_URL" not in page


def test_without_a_public_address_any_name_will_do(tmp_path: Path, migrated: Path):
    assert settings_for(tmp_path).hosts == frozenset()
    assert settings_for(tmp_path).address == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "text",
    ["pairbook.example.com", "ftp://x.example", "https://", "https://x.example/path", "https://u:p@x.example",
     "https://x.example:99999", "https://x.example?q", "javascript:alert(1)", "https://a b.example"],
)  # fmt: skip
def test_an_address_that_is_none_is_named_with_the_repair(tmp_path, text):
    with pytest.raises(SettingError, match="PAIRBOOK_PUBLIC_URL"):
        load({"PAIRBOOK_INSTANCE": str(tmp_path), "PAIRBOOK_PUBLIC_URL": text})


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("10.1.2.3", "http://10.1.2.3:8000"),
     ("fd00::7", "http://[fd00::7]:8000")],
)  # fmt: skip
def test_the_listening_address_is_one_that_a_browser_can_open(tmp_path, host, address):
    assert load({"PAIRBOOK_INSTANCE": str(tmp_path), "PAIRBOOK_HOST": host}).listening == address
