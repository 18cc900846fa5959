"""In which zone screens show times: that of the setting, else the server's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask_babel import format_date, format_datetime

from tests.conftest import settings_for
from webapp import create_app
from webapp.config import SettingError
from webapp.views import home

LATE = datetime(2026, 7, 1, 1, 31, tzinfo=UTC)  # the evening before in Mexico City, which has no summer time


@pytest.mark.parametrize(
    ("zone", "at"), [("America/Mexico_City", "Jun 30, 2026, 19:31"), ("UTC", "Jul 1, 2026, 01:31")]
)
def test_times_and_days_are_those_of_the_zone_that_is_set(tmp_path: Path, zone: str, at: str):
    app = create_app(settings_for(tmp_path, PAIRBOOK_TIMEZONE=zone), TESTING=True)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert format_datetime(LATE, "MMM d, yyyy, HH:mm") == at
        assert format_date(LATE, "MMM d, yyyy") == at.rpartition(",")[0]


def test_today_on_the_overview_is_the_day_of_the_zone(app: Any, browse: Any, monkeypatch: pytest.MonkeyPatch):
    app.extensions["babel"].default_timezone = "America/Mexico_City"
    monkeypatch.setattr(home, "utc_now", lambda: LATE)
    page = browse("bob").get("/").text
    assert "Tuesday, June 30, 2026" in page


@pytest.mark.parametrize("name", ["Nowhere", "America/Nowhere", "UTC+6", "../localtime"])
def test_a_name_that_is_no_zone_is_refused_with_the_repair(tmp_path: Path, name: str):
    with pytest.raises(SettingError, match=re.escape(f"PAIRBOOK_TIMEZONE is “{name}”. Use a name of the IANA")):
        settings_for(tmp_path, PAIRBOOK_TIMEZONE=name)


@pytest.mark.parametrize(("own", "expected"), [("America/Bogota", "America/Bogota"), (None, "UTC"), ("local", "UTC")])
def test_without_the_setting_it_is_the_servers_zone_or_utc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, expected: str
):
    monkeypatch.setattr("babel.dates.LOCALTZ", SimpleNamespace(key=None, zone=own))
    monkeypatch.delenv("PAIRBOOK_TIMEZONE", raising=False)
    assert settings_for(tmp_path).timezone == expected
