"""A real browser on a real server: Chromium from the system, waitress, a worker thread, nothing faked."""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from waitress.server import create_server

from webapp import create_app
from webapp.config import Settings
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.services import accounts, demo

PASSWORD = "four unrelated small words"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all journeys."""
    found = next((p for p in map(shutil.which, BROWSERS) if p), None)
    assert found, "The journeys need a browser: sudo apt install chromium"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def live(settings: Settings) -> Iterator[tuple[Flask, str]]:
    """The application served on a free port, with a worker beside it; gives the app and its address."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    app = create_app(settings)
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    address = f"http://127.0.0.1:{server.effective_port}"
    stop = threading.Event()

    def work() -> None:
        answer = tasks.answer(settings, app.extensions["pairbook_index"])
        while not stop.wait(0.2):
            with app.app_context():
                answer(set())

    threads = [threading.Thread(target=server.run, daemon=True), threading.Thread(target=work, daemon=True)]
    for thread in threads:
        thread.start()
    yield app, address
    stop.set()
    threads[1].join(10)
    server.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def people_with_passwords(live: tuple[Flask, str]) -> None:
    """Alice, Bob and Charlie, who can really sign in."""
    app, _ = live
    with app.app_context(), unit_of_work() as session:
        for name, role in (("alice", Role.OWNER), ("bob", Role.EDITOR), ("charlie", Role.VIEWER)):
            email = f"{name}@example.com"
            accounts.add_user(session, email, role, by=COMMAND_LINE, password=PASSWORD, hash_password=hash_password)


@pytest.fixture
def sample(live: tuple[Flask, str]) -> None:
    """The sample catalogue, reconciled and with suggestions."""
    app, _ = live
    with app.app_context():
        with unit_of_work() as session:
            demo.load(session, by=COMMAND_LINE, settings=app.extensions["pairbook_settings"])
        tasks.reconcile(None, by=COMMAND_LINE)
        tasks.suggest(app.extensions["pairbook_index"])


@pytest.fixture
def open_page(chromium: Browser, live: tuple[Flask, str]) -> Iterator[Any]:
    """`open_page("bob")` gives a page signed in as Bob; any console error or policy violation fails the test."""
    _, address = live
    complaints: list[str] = []
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not re.search(r"status of (4\d\d|503)", message.text):
            complaints.append(message.text)

    def start(name: str = "", *, width: int = 1440, height: int = 900, scheme: Any = "light") -> Page:
        context = chromium.new_context(
            base_url=address, viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if name:
            page.goto("/login")
            page.fill("input[name=email]", f"{name}@example.com")
            page.fill("input[name=password]", PASSWORD)
            page.click("button[name=submit]")
            page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def check_accessibility() -> Any:
    """`check_accessibility(page)` runs axe with the WCAG 2.2 AA rules and fails with what it found."""

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", RULES)["violations"]
        assert [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found] == []

    return check


def wait_until(condition: Any, seconds: float = 10) -> None:
    """Wait for something that happens beside the browser, such as a worker's step."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
