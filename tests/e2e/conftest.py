"""A real browser on a real server: Chromium from the system, waitress, a worker thread, nothing faked.

What most journeys begin with (the cast, the sample catalogue) is made once and copied, as are the cookies of those who
signed in; the journeys run on SQLite.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from sqlalchemy import select
from waitress import wasyncore
from waitress.server import create_server

from webapp import create_app
from webapp.config import Settings, load
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.migrations import upgrade
from webapp.models.accounts import COMMAND_LINE, Role, SignIn
from webapp.services import accounts, demo

PASSWORD = "four unrelated small words"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Errors that a journey causes on purpose: a refusal, no server, no network, letters that overtake a search; htmx
# reports them too.
EXPECTED = re.compile(r"status of (4\d\d|50[23])|ERR_INTERNET_DISCONNECTED|^htmx:(afterRequest|sendError|sendAbort)")
PATIENCE = 30_000  # milliseconds; a busy machine compiles the matcher first
expect.set_options(timeout=PATIENCE / 2)
OpenPage = Callable[..., Page]
Check = Callable[[Page], list[str]]


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


def settings_of(instance: Path) -> Settings:
    """Settings of an instance on SQLite that may send to this machine."""
    return load(
        {
            "PAIRBOOK_INSTANCE": str(instance),
            "PAIRBOOK_OUTBOUND_ALLOW": "127.0.0.0/8",
            "PAIRBOOK_SECRET_KEY": "journey" * 12,
        }
    )


@pytest.fixture(scope="session")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nobody in it, made once."""
    return _made(tmp_path_factory.mktemp("empty"), lambda _app: upgrade(db.engine))


@pytest.fixture(scope="session")
def peopled_instance(tmp_path_factory: pytest.TempPathFactory, empty_instance: Path) -> Path:
    """The same with Alice, Bob and Charlie, who can really sign in."""

    def fill(_app: Flask) -> None:
        with unit_of_work() as session:
            for name, role in (("alice", Role.OWNER), ("bob", Role.EDITOR), ("charlie", Role.VIEWER)):
                email = f"{name}@example.com"
                accounts.add_user(session, email, role, by=COMMAND_LINE, password=PASSWORD, hash_password=hash_password)

    return _made(tmp_path_factory.mktemp("peopled"), fill, empty_instance)


@pytest.fixture(scope="session")
def sample_instance(tmp_path_factory: pytest.TempPathFactory, peopled_instance: Path) -> Path:
    """The same with the sample catalogue, reconciled and with suggestions."""

    def fill(app: Flask) -> None:
        with unit_of_work() as session:
            demo.load(session, by=COMMAND_LINE, settings=app.extensions["pairbook_settings"])
        tasks.reconcile(None, by=COMMAND_LINE)
        tasks.suggest(app.extensions["pairbook_index"])

    return _made(tmp_path_factory.mktemp("sample"), fill, peopled_instance)


def _made(folder: Path, fill: Callable[[Flask], None], source: Path | None = None) -> Path:
    """Fill an instance, a copy of another, and fold its write-ahead log into the one file that is copied."""
    if source is not None:
        shutil.copy(source / "app.db", folder / "app.db")
    app = create_app(settings_of(folder))
    with app.app_context():
        fill(app)
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return folder


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of this journey's own instance, a copy of the fullest one it asks for."""
    wanted = request.fixturenames
    fixture = "sample" if "sample" in wanted else "peopled" if "people_with_passwords" in wanted else "empty"
    instance = tmp_path / "instance"
    instance.mkdir()
    shutil.copy(request.getfixturevalue(f"{fixture}_instance") / "app.db", instance / "app.db")
    return settings_of(instance)


@pytest.fixture
def live(settings: Settings) -> Iterator[tuple[Flask, str]]:
    """The application served on a free port, with a worker beside it; gives the app and its address."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    app = create_app(settings)
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=8)
    address = f"http://127.0.0.1:{server.effective_port}"
    stop = threading.Event()

    def work() -> None:
        answer = tasks.answer(settings, app.extensions["pairbook_index"])
        while not stop.wait(0.2):
            with app.app_context():
                answer(set())

    def serve() -> None:
        with suppress(OSError):  # the end closes the sockets that it waits on
            server.run()

    threads = [threading.Thread(target=serve, daemon=True), threading.Thread(target=work, daemon=True)]
    for thread in threads:
        thread.start()
    yield app, address
    stop.set()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets, ignore_all=True)
    for thread in threads:
        thread.join(10)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def people_with_passwords() -> None:
    """Alice owns, Bob edits, Charlie looks; all can sign in."""


@pytest.fixture
def sample(people_with_passwords: None) -> None:
    """The sample catalogue, reconciled and with suggestions, and the cast."""


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    """The cookies of those who signed in before, by name, with the row that makes them good."""
    return {}


@pytest.fixture
def open_page(chromium: Browser, live: tuple[Flask, str], signed_in: dict[str, Any]) -> Iterator[OpenPage]:
    """`open_page("bob")`: a page signed in as Bob; a console error, a policy violation or a foreign address fails."""
    app, address = live
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            complaints.append(message.text)

    def watch(asked: Request) -> None:
        if not asked.url.startswith((address + "/", "data:", "blob:")):
            complaints.append(f"asked {asked.url}")

    def start(
        name: str = "",
        *,
        width: int = 1440,
        height: int = 900,
        scheme: Any = "light",
        scripts: bool = True,
        timezone: str = "UTC",
        zoom: float = 1,
    ) -> Page:
        cookies, row = signed_in.get(name, (None, None))
        if row:  # this journey's tables were copied before that sign-in
            with app.app_context(), unit_of_work() as session:
                session.merge(SignIn(**row))
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            device_scale_factor=zoom,
            color_scheme=scheme,
            locale="en-US",
            timezone_id=timezone,
            java_script_enabled=scripts,
            has_touch=width < 761,
            storage_state=cookies,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("request", watch)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        page = context.new_page()
        if name and name not in signed_in:
            sign_in(page, name)
            with app.app_context(), unit_of_work(read_only=True) as session:
                newest = session.scalars(select(SignIn).order_by(SignIn.started_at.desc()).limit(1)).one()
                row = {column.key: getattr(newest, column.key) for column in SignIn.__table__.columns}
            signed_in[name] = (context.storage_state(), row)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in form and send it."""
    page.goto("/login")
    page.fill("input[name=email]", f"{name}@example.com")
    page.fill("input[name=password]", password)
    page.click("button[name=submit]")
    page.wait_for_load_state()


@pytest.fixture(scope="session")
def check_accessibility() -> Check:
    """`check_accessibility(page)` gives what axe finds by the WCAG 2.2 AA rules, and again the colours in dark."""
    axe = AXE.read_text(encoding="utf-8")

    def check(page: Page) -> list[str]:
        page.evaluate(axe)
        found = []
        for scheme, only in (("light", {"type": "tag", "values": RULES}), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.evaluate("() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0)))")
            result = page.evaluate("only => axe.run({runOnly: only, resultTypes: ['violations']})", only)
            for rule in result["violations"]:
                found += [f"{scheme} {rule['id']}: {node['html'][:160]}" for node in rule["nodes"][:3]]
        return found

    return check


def wait_until(condition: Any, seconds: float = 10) -> None:
    """Wait for something that happens beside the browser, such as a worker's step."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
