"""Sentences of the domain in the reader's language: recognised by the template they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import Babel

from webapp import translate

TEXTS = {
    "The file is empty.": "El archivo está vacío.",
    "price": "precio",
    "listing ID": "ID de la publicación",
    "the {label} {value} is below zero.": "{label}: {value} es menos que cero.",
    "Row {row}: {problem}": "Fila {row}: {problem}",
    "the {field} “{value}” is not a number.": "el {field} «{value}» no es un número.",
    ("{n} row was read.", "{n} rows were read."): ("Se leyó {n} fila.", "Se leyeron {n} filas."),
    "Row {row} repeats the {label} of {rows}.": "Fila {row}: repite {label} de {rows}.",
    "row {n}": "la fila {n}",
    "rows {rows}": "las filas {rows}",
    "{file} weighs {weight} kg.": "{file} pesa {weight} kg.",
    "{a} and again {a}": "{a} y otra vez {a}",
}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    catalogue = Catalog(locale="es")
    for text, other in TEXTS.items():
        catalogue.add(text, other)
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(translate, "FOLDER", tmp_path)
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(tmp_path)
    app.config["LANGUAGE"] = "es"
    Babel(app, locale_selector=lambda: app.config["LANGUAGE"])
    forget()
    with app.test_request_context():
        yield app
    forget()


def forget() -> None:
    translate._translated.cache_clear()
    translate._templates.cache_clear()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("The file is empty.", "El archivo está vacío."),
        ("Row 3: the price “abc” is not a number.", "Fila 3: el precio «abc» no es un número."),
        ("the price “price” is not a number.", "el precio «price» no es un número."),  # what was typed stays
        ("the listing ID -4.5 is below zero.", "ID de la publicación: -4.5 es menos que cero."),
        ("1 row was read.", "Se leyó 1 fila."),
        ("Row 4 repeats the listing ID of row 1,030.", "Fila 4: repite ID de la publicación de la fila 1.030."),
        ("Row 4 repeats the listing ID of rows 2, 3.", "Fila 4: repite ID de la publicación de las filas 2, 3."),
        ("12,345 rows were read.", "Se leyeron 12.345 filas."),
        ("The file is empty. 2 rows were read.", "El archivo está vacío. Se leyeron 2 filas."),
        ("Nobody knows this. The file is empty.", "Nobody knows this. El archivo está vacío."),
        # One sentence never swallows the one before it, though a value may hold a full stop.
        ("Left 3 of 4. It weighs 1.50 kg.", "Left 3 of 4. It pesa 1,50 kg."),
        ("Done. Row 2: The file is empty.", "Done. Fila 2: El archivo está vacío."),
        ("x and again x", "x y otra vez x"),
        ("x and again y", "x and again y"),
        ("list 2026.csv weighs 1.50 kg.", "list 2026.csv pesa 1,50 kg."),
        ("Nobody knows this", "Nobody knows this"),
        ("", ""),
    ],
)
def test_a_sentence_is_known_by_its_template(app: Flask, said: str, told: str):
    assert translate.translated(said) == told


def test_english_stays_as_it_was_said(app: Flask):
    app.config["LANGUAGE"] = "en"
    assert translate.translated("The file is empty.") == "The file is empty."


def test_a_language_without_a_catalogue_stays_english(app: Flask):
    app.config["LANGUAGE"] = "de"
    assert translate.translated("3 rows were read.") == "3 rows were read."


def test_values_with_braces_and_line_ends_are_kept(app: Flask):
    assert translate.translated("Row 1: the price “{row}\n” is not a number.") == (
        "Fila 1: el precio «{row}\n» no es un número."
    )
