"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from babel.messages.extract import extract
from flask import Flask

from webapp.config import Settings
from webapp.db import db
from webapp.models import Base, Permission

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sorted(
    p for folder in ("webapp", "matching", "importers", "connectors") for p in (ROOT / folder).rglob("*.py")
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
LIBRARY_ROUTES = re.compile(r"^(static|security\.)")  # Flask's files and Flask-Security's own pages


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_only_db_commits():
    found = [name(p) for p in PYTHON if ".commit(" in p.read_text(encoding="utf-8")]
    assert found == ["webapp/db.py"]


def test_every_route_states_its_permission(app: Flask):
    """A new route without `@requires` or `@public` fails here, before anybody can forget it."""
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not LIBRARY_ROUTES.match(rule.endpoint) and not hasattr(app.view_functions[rule.endpoint], "permission")
    ]
    assert silent == []


def test_only_the_short_list_is_public(app: Flask):
    public = sorted(e for e, view in app.view_functions.items() if getattr(view, "permission", "") == "public")
    assert public == ["accounts.join", "accounts.setup"]


def test_no_address_disappears_by_accident(app: Flask):
    """Removing or renaming an address is a decision: edit tests/routes.txt with it."""
    now = {f"{rule.rule} {rule.endpoint}" for rule in app.url_map.iter_rules()}
    kept = set((ROOT / "tests" / "routes.txt").read_text(encoding="utf-8").split("\n")) - {""}
    assert kept - now == set()


def test_nobody_gets_in_without_signing_in(app: Flask, browse):
    """Every address that is not public sends a stranger to the sign-in form, whatever the method."""
    stranger = browse()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if LIBRARY_ROUTES.match(rule.endpoint) or view.permission == "public":
            continue
        url = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            answer = stranger.open(url, method=method)
            assert answer.status_code == 303, (method, url, answer.status_code)
            assert "/login" in answer.headers["Location"]


def test_a_viewer_changes_nothing(app: Flask, browse):
    """Every address that asks for more than reading refuses Charlie, and says who can help."""
    charlie = browse("charlie")
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if LIBRARY_ROUTES.match(rule.endpoint) or view.permission in {"public", Permission.READ}:
            continue
        url = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            answer = charlie.open(url, method=method)
            assert answer.status_code == 403, (method, url, answer.status_code)
            assert "Alice" in answer.text


def test_changing_routes_ask_for_more_than_reading(app: Flask):
    """What only reads may be posted to by a viewer only where nothing but the person's own settings changes."""
    own = {f"accounts.{act}" for act in ("settings", "save_settings", "save_keys", "sign_out_others")}
    loose = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
        and getattr(app.view_functions[rule.endpoint], "permission", "") == Permission.READ
        and rule.endpoint not in own
    ]
    assert loose == []


def test_the_migrated_schema_equals_the_models(context: Flask):
    """All but the index of words, which each database has in its own way."""

    def shared(_object: object, name: str | None, *_: object) -> bool:
        return not (name or "").startswith("product_words_index")

    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_object": shared}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    assert differences == []


def test_the_trail_only_grows(session, bob):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from webapp.services import audit

    audit.record(session, bob, "test.done", "test", "Did a test.")
    for statement in ("UPDATE audit SET sentence = 'other'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="only grows"), session.begin_nested():
            session.execute(text(statement))


def test_every_template_parses_and_names_real_endpoints(app: Flask):
    for path in TEMPLATES:
        source = path.read_text(encoding="utf-8")
        app.jinja_env.parse(source)
        for endpoint in re.findall(r"url_for\(\s*'([a-z_.]+)'", source):
            assert endpoint in app.view_functions, f"{name(path)} names {endpoint}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_template_brings_its_own_style_or_script(path: Path):
    """The content security policy forbids both, and a browser would only drop them silently."""
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*[\"']", source)
    assert "|safe" not in source.replace(" ", "")
    assert not re.search(r"(?:src|href)=[\"']https?://", source)


def test_no_python_builds_html_by_hand():
    for path in PYTHON:
        source = path.read_text(encoding="utf-8")
        assert "render_template_string" not in source, name(path)
        assert not re.search(r"\bMarkup\(", source), name(path)


def test_what_a_refusal_says_can_be_translated():
    """A service makes its sentences with `phrase`, a screen with gettext: no language sees them in English alone."""
    bare = re.compile(r'\b(?:Refused|Conflict|NotFound|Forbidden|Unavailable)\(\s*f?"[^"]{2,}')
    here = [p for p in PYTHON if name(p).startswith(("webapp/services", "webapp/jobs", "webapp/views", "webapp/web"))]
    assert [name(p) for p in here if bare.search(p.read_text(encoding="utf-8"))] == []


def test_every_text_is_one_that_babel_collects():
    """A text in an f-string, or in the middle of another text's values, may never reach the catalogue."""
    wanted: dict[str, tuple[int, ...] | None] = {"_": None, "phrase": None, "phrases": (1, 2), "ngettext": (1, 2)}
    for path in PYTHON:
        with path.open("rb") as file:
            found = {text for _line, text, _comments, _context in extract("python", file, wanted)}
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in wanted:
                given = call.args[: len(wanted[call.func.id] or (1,))]
                texts = tuple(each.value for each in given if isinstance(each, ast.Constant))
                if texts:
                    assert (texts if len(texts) > 1 else texts[0]) in found, f"{name(path)}:{call.lineno}"


def test_no_money_is_a_float():
    """`float(` has no place where amounts and quantities are made."""
    for path in PYTHON:
        if path.parts[-2] in {"services", "models"} or path.name in {"amounts.py", "numbers.py"}:
            assert not re.search(r"\bfloat\(", path.read_text(encoding="utf-8")), name(path)


def test_no_query_pages_by_offset():
    for path in PYTHON:
        assert ".offset(" not in path.read_text(encoding="utf-8"), name(path)


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for field in Settings.__dataclass_fields__:
        assert f"`PAIRBOOK_{field.upper()}`" in text or field in {"languages"}, field


def test_every_answer_carries_the_headers_of_the_house(browse):
    for client, url in ((browse(), "/login"), (browse("alice"), "/"), (browse("alice"), "/nowhere")):
        headers = client.get(url).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_the_application_imports_only_what_a_user_installs():
    """What the extra `dev` brings is there when tests run, and missing where Pairbook does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["scale"]]
    ours = {re.split(r"[\[<>=!~ ;]", name)[0].lower().replace("_", "-") for name in needed}
    brought_by = packages_distributions()
    strange = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("webapp", "matching", "importers", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        for name in _imported(path)
        if name not in sys.stdlib_module_names and name not in {"webapp", "matching", "importers", "connectors"}
        and not {dist.lower().replace("_", "-") for dist in brought_by.get(name, [])} & (ours | _WITH_FLASK)
    }  # fmt: skip
    assert strange == set()


#: What Flask and SQLAlchemy stand on is never missing where they are.
_WITH_FLASK = {"werkzeug", "jinja2", "markupsafe", "sqlalchemy", "babel", "wtforms"}


def _imported(path: Path) -> set[str]:
    """The first names of the modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
