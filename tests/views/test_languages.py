"""What the domain says, told in the reader's language: refusals, problems of a file, the trail, the sign-in form."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from flask_babel import format_decimal

from tests.factories import Make
from webapp import translate
from webapp.db import unit_of_work
from webapp.models import ImportJob
from webapp.models.accounts import COMMAND_LINE
from webapp.services import audit, catalog
from webapp.views.review_words import pace
from webapp.views.sign_in import TEXTS_OF_THE_EXTENSION

SPANISH = {"Accept-Language": "es"}
TEXTS = {
    "There is no import {number}.": "No hay ninguna importación {number}.",
    "Row {row}: there is no channel “{name}”. Channels: {channels}. Add it first, or correct the name.": (
        "Fila {row}: no hay ningún canal «{name}». Canales: {channels}. Agrégalo primero o corrige el nombre."
    ),
    "Type a SKU. A product without one cannot be matched.": "Escribe un SKU. Sin él, un producto no se puede vincular.",
    "The SKU {sku} belongs to “{title}”. Choose another SKU.": "El SKU {sku} es de «{title}». Elige otro SKU.",
    "Added {sku}.": "Se agregó {sku}.",
    "Command line": "Línea de comandos",
    "product %(name)s": "producto %(name)s",
    "Authentication failed - identity or password/passcode invalid": "El correo o la contraseña no son correctos.",
}


@pytest.fixture(autouse=True)
def _catalogue(tmp_path: Path, monkeypatch):
    """A Spanish catalogue of a few texts, in place of ours."""
    catalogue = Catalog(locale="es")
    for text, other in TEXTS.items():
        catalogue.add(text, other)
    folder = tmp_path / "texts" / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(translate, "FOLDER", tmp_path / "texts")
    translate._translated.cache_clear()
    translate._templates.cache_clear()
    yield
    translate._translated.cache_clear()
    translate._templates.cache_clear()


def test_a_toast_tells_a_refusal(browse):
    answer = browse("bob").post("/import/999/confirm", headers={**SPANISH, "HX-Request": "true"})
    assert answer.status_code == 404
    assert "No hay ninguna importación 999." in answer.text


def test_an_error_page_tells_a_refusal(browse):
    bob = browse("bob")
    assert "No hay ninguna importación 999." in bob.get("/import/999", headers=SPANISH).text
    assert "There is no import 999." in bob.get("/import/999").text


def test_a_form_tells_a_refusal_under_its_field(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        Make(session, settings).product("A-1", title="Blue mug")
    answer = browse("bob").post("/products/new", data={"sku": "A-1", "title": "Red mug"}, headers=SPANISH)
    assert answer.status_code == 422
    assert "El SKU A-1 es de «Blue mug». Elige otro SKU." in answer.text


def test_the_preview_tells_why_a_row_is_left_out_and_the_report_stays_as_it_is(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        Make(session, settings).channel("Alpha", kind="file")
    rows = "channel,listing id,sku,title\nAlpha,L1,A-1,Blue mug\nBeta,L2,A-2,Red mug\n"
    data = {"kind": "listings", "file": (io.BytesIO(rows.encode()), "listings.csv")}
    bob = browse("bob")
    place = bob.post("/import", data=data, content_type="multipart/form-data").location
    told = bob.get(place, headers=SPANISH).text
    assert "Fila 3: no hay ningún canal «Beta»" in told
    assert "Canales: Alpha. Agrégalo primero o corrige el nombre." in told
    with app.app_context(), unit_of_work() as session:
        report = session.get_one(ImportJob, int(place.rsplit("/", 1)[1])).report
    assert report["errors"][0]["message"].startswith("Row 3: there is no channel “Beta”.")


def test_the_trail_is_told_with_its_author_and_its_subject(app, browse):
    with app.app_context(), unit_of_work() as session:
        catalog.add_product(session, {"sku": "A-1", "title": "Blue mug"}, by=COMMAND_LINE)
    told = browse("bob").get("/activity", headers=SPANISH).text
    assert "Se agregó A-1." in told
    assert "Línea de comandos" in told
    assert "producto A-1" in told


def test_the_trail_is_english_for_english_readers(app, browse):
    subjects = ("batch 12", "1 pair", "2 products", "run 3", "sample data", "user bob@example.com", "something else")
    with app.app_context(), unit_of_work() as session:
        for subject in subjects:
            audit.record(session, COMMAND_LINE, "link.confirmed", subject, "Linked.")
    told = browse("bob").get("/activity").text
    assert all(f">{subject}<" in told for subject in subjects)


def test_the_sign_in_form_speaks_the_language_of_the_browser(browse, people):
    data = {"email": "bob@example.com", "password": "not this one"}
    assert TEXTS["Authentication failed - identity or password/passcode invalid"] in (
        browse().post("/login", data=data, headers=SPANISH).text
    )
    assert "Authentication failed" in browse().post("/login", data=data).text


def test_what_the_sign_in_extension_says_is_what_we_translate(app):
    own = {app.config[name][0] for name in app.config if name.startswith("SECURITY_MSG_")}
    titles = {"Reauthenticate", "Verify Password"}
    assert set(TEXTS_OF_THE_EXTENSION) - titles <= {str(text) for text in own}


@pytest.mark.parametrize(
    ("language", "half", "share", "each"), [("en", "50%", "97.5%", "5.2"), ("es", "50\u00a0%", "97,5\u00a0%", "5,2")]
)
def test_shares_and_times_have_the_marks_of_the_language(app, language, half, share, each):
    with app.test_request_context(headers={"Accept-Language": language}):
        assert translate.percent(0.5) == half
        assert translate.percent(0.975, 1) == share
        assert pace(5.2, 10)[0].startswith(each)


@pytest.mark.parametrize(
    ("asked", "written"),
    [("es-MX,es;q=0.9", "1,099.50"), ("es-ES", "1.099,50"), ("es", "1.099,50"), ("es-XX", "1.099,50")],
)
def test_numbers_are_written_as_in_the_country_that_the_browser_names(app, asked, written):
    """The language chooses the words, the country the marks: in Spain “1,099” is little more than one."""
    with app.test_request_context(headers={"Accept-Language": asked}):
        assert format_decimal(Decimal("1099.50"), format="#,##0.00") == written
        assert translate.translated("Command line") == "Línea de comandos"
