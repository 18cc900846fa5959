"""Headers in six languages, choices of people, headers further down, and what is refused instead of guessed."""

from __future__ import annotations

import time

import pytest

from importers.fields import KIND_FIELDS
from importers.mapping import guess_mapping
from importers.report import FileRefused
from importers.vocabulary import WORDS, gist, normalise, recognise


def fields(headers, kind="products", **options):
    return {column.header: column.field for column in guess_mapping(headers, kind, **options) if column.field}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (" SKU ,Product Title,Qty.,Price (EUR),EAN/GTIN", "sku title quantity price gtin"),
        ("Référence,Désignation,Quantité,Prix,Code-barres", "sku title quantity price gtin"),
        ("Código,Título,Existencias,Precio,Código de barras", "sku title quantity price gtin"),
        ("SKU,Nome,Estoque,Preço,EAN", "sku title quantity price gtin"),
        ("Artikelnummer,Bezeichnung,Lagerbestand,Verkaufspreis,Hersteller", "sku title quantity price brand"),
        ("Codice articolo,Titolo,Giacenza,Prezzo,Marca", "sku title quantity price brand"),
        ("seller-sku,item-name,quantity,price,brand_name", "sku title quantity price brand"),
        ("*SKU,*Title,*Quantity,'Price,mpn", "sku title quantity price mpn"),
        ("ＳＫＵ,TITLE,Stock,PVP,Modelo", "sku title quantity price mpn"),
        ("sku,title,Opción,option1 name,option1 value", "sku title option1_name option1_value"),
        ("sku,Option: Colour,option:size", "sku option:Colour option:size"),
    ],
)
def test_usual_headers_are_recognised_whatever_their_case_accents_and_language(headers, expected):
    assert list(fields(headers.split(",")).values()) == expected.split()


SAID = {
    "listing_id": "ID de publicación|Id publicación|ID de la publicación|Número de publicación|ID del anuncio"
    "|ID do anúncio|Código anúncio|Numéro de l’annonce|ID annonce|ID de l'offre|Angebots-ID|Anzeigennummer"
    "|ID dell’inserzione|Numero inserzione",
    "sku": "SKU del vendedor|SKU vendedor|Código de producto|Códigos|Clave de artículo|Código interno|Código do item"
    "|Référence de l’article|Code produit|Produktnummer|Art.-Nr.|Codice del prodotto|Riferimento interno",
    "title": "Título de publicación|Títulos|Nombre artículo|Nombre de producto|Nome produto|Título anúncio"
    "|Titre annonce|Nom produit|Libellé de l'article|Artikeltitel|Titolo inserzione|Nome articolo",
    "quantity": "Existencia|Existencias|Cantidades|Existencia disponible|Cantidad en stock|Quantidade em estoque"
    "|Estoques|Quantité en stock|Quantités|Verfügbare Menge|Lagermenge|Quantità disponibile|Giacenze",
    "price": "Precios|Precio venta|Precio de publicación|Preços|Preço do produto|Prix vente"
    "|Prix unitaire|Einzelpreis|Preise|Prezzo vendita|Prezzi",
    "gtin": "Código universal|Códigos universales|Código universal de productos|Código de barra|Códigos de barras"
    "|Código EAN|Code à barres|Codes-barres|Code universel|EAN-Nummer|GTIN-Code|Codici a barre",
    "brand": "Marca|Marcas|Marca del producto|Nombre de marca|Marques|Marque du produit|Marken|Marchi|Marca prodotto",
}


@pytest.mark.parametrize(("field", "headers"), SAID.items())
def test_what_sellers_write_is_known_in_one_and_in_many_with_and_without_the_little_words(field, headers):
    known = {header: list(fields([header], "listings").values()) for header in headers.split("|")}
    assert known == {header: [field] for header in known}


@pytest.mark.parametrize(
    "header", ["Items", "Products", "In stock", "De la", "Marché", "Mes", "Días", "Precio anterior"]
)
def test_words_that_mean_something_else_are_left_alone(header):
    assert fields([header], "listings") == {}


@pytest.mark.parametrize("kind", KIND_FIELDS)
def test_no_word_means_two_fields_of_a_kind_once_its_little_words_are_gone(kind):
    gists: dict[str, set[str]] = {}
    for field in KIND_FIELDS[kind]:
        for word in WORDS[field]:
            gists.setdefault(gist(word), set()).add(field)
    assert {said: meant for said, meant in gists.items() if len(meant) > 1} == {}


def test_every_word_of_the_vocabulary_is_in_its_normal_form_and_found():
    for field, words in WORDS.items():
        for word in words:
            assert normalise(word) == word
            found = recognise(word, (field,), "links" if word in ("linnworks sku", "store") else "products")
            assert found is not None
            assert found[0] == field


@pytest.mark.parametrize(
    "header", ["__class__", "id", "tenant_id", "<img src=x onerror=alert(1)>", "constructor", "🙂", "?"]
)
def test_columns_nobody_asked_for_are_left_out(header):
    columns = guess_mapping(["sku", "title", header], "products")
    assert columns[2].field == ""
    assert columns[2].why == "ignored"


def test_an_id_is_a_listing_id_only_for_listings():
    assert fields(["id", "title"], "listings") == {"id": "listing_id", "title": "title"}


@pytest.mark.parametrize(
    "headers", ["sku,title,quantity,quantity", "sku,Price,price", "sku,quantity,stock", "sku,EAN,ean", "SKU,sku,title"]
)
def test_two_columns_that_claim_one_field_are_never_chosen_between_in_silence(headers):
    with pytest.raises(FileRefused) as caught:
        guess_mapping(headers.split(","), "products")
    assert caught.value.problem.code == "duplicate_header"


def test_the_better_word_wins_for_texts_and_says_so():
    columns = guess_mapping(["Reference", "SKU", "Name", "Title"], "products")
    assert [column.why for column in columns] == ["duplicate", "recognised", "duplicate", "recognised"]


def test_a_choice_wins_and_leaves_out():
    chosen = {"price": "", "our price": "price", "Sku ": "sku"}
    assert fields(["Sku", "price", "our price"], chosen=chosen) == {"Sku": "sku", "our price": "price"}
    assert fields(["a", "quantity"], chosen={"a": "quantity"}) == {"a": "quantity"}


@pytest.mark.parametrize(
    ("chosen", "code"),
    [({"nope": "sku"}, "unknown_value"), ({"a": "nonsense"}, "unknown_value"), ({"a": "listing_id"}, "unknown_value")],
)
def test_a_choice_that_cannot_be_is_refused(chosen, code):
    with pytest.raises(FileRefused) as caught:
        guess_mapping(["a", "b"], "products", chosen=chosen)
    assert caught.value.problem.code == code


def test_two_choices_for_one_field_are_refused():
    with pytest.raises(FileRefused, match="Keep one"):
        guess_mapping(["a", "b"], "products", chosen={"a": "sku", "b": "sku"})


def test_the_header_is_found_below_titles_and_instructions(run):
    content = "Stock of our shop,,\nPlease fill in,all columns,\n\nSKU,Title,Quantity\nA,a,1\n"
    checked = run(content)
    assert checked.report.header_row == 4
    assert checked.rows == {5: {"sku": "A", "title": "a", "quantity": 1, "match_key": "A"}}


def test_a_chosen_header_row_wins(run):
    content = "sku,title\nreal sku,real title\nA,a\n"
    checked = run(content, header_row=2, mapping={"real sku": "sku", "real title": "title"})
    assert list(checked.rows) == [3]
    assert run(content, header_row=9).errors == [(1, "unknown_value")]


def test_a_file_without_headers_loses_no_row(run):
    content = "A-1,Item,5,9.99,\nA-2,Item,5,9.99,\n"
    refused = run(content)
    assert refused.errors == [(1, "missing_column")]
    assert "looks like data" in refused.report.errors[0].message
    assert refused.report.headers == ("A-1", "Item", "5", "9.99")
    checked = run("A-1,Item,5\nA-2,Item,5\n", header_row=0, mapping={"Column 1": "sku", "Column 3": "quantity"})
    assert {number: row["sku"] for number, row in checked.rows.items()} == {1: "A-1", 2: "A-2"}


@pytest.mark.parametrize(
    ("kind", "header", "column"),
    [
        ("products", "title,price", "sku"),
        ("products", "sku", "title"),
        ("stock", "sku,title", "quantity"),
        ("stock", "quantity,title", "sku"),
        ("listings", "title,price", "listing_id"),
        ("links", "sku,title", "listing_id"),
    ],
)
def test_a_column_that_must_be_there_is_asked_for(run, kind, header, column):
    checked = run(f"{header}\n" + ",".join("x" for _ in header.split(",")) + "\n", kind=kind)
    assert checked.errors == [(1, "missing_column")]
    assert checked.report.errors[0].column == column
    assert checked.report.mapping


def test_a_refused_file_still_shows_its_columns_and_first_values(run):
    checked = run("foo,bar\nhello,1\nworld,2\n")
    assert [(column.header, column.samples) for column in checked.report.mapping] == [
        ("foo", ("hello", "world")),
        ("bar", ("1", "2")),
    ]


def test_where_only_the_sku_is_known_the_other_columns_are_asked_for(run):
    assert "Only the SKU was recognised" in run("sku,foo,bar\nA,a,b\n").report.errors[0].message
    assert "SKUs only" in run("sku\nA\nB\n").report.errors[0].message


def test_a_row_of_a_hundred_thousand_cells_is_no_header_and_takes_no_time(run):
    started = time.perf_counter()
    checked = run("sku,title,price\nA,a,1\nB," + "1," * 150_000 + "\n")
    assert time.perf_counter() - started < 5
    assert checked.errors == [(3, "ragged_row")]
    assert run("1," * 1_200 + "\n", header_row=0).errors == [(1, "too_big")]
