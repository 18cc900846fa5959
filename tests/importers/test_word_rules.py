"""Headers that no list holds: abbreviations, marks, other orders of words, weak words, and columns no preset knows."""

from __future__ import annotations

import pytest

from importers.fields import KIND_FIELDS
from importers.mapping import guess_mapping
from importers.report import FileRefused
from importers.vocabulary import WORDS, gist
from importers.word_rules import spelt_alike

SAID = {
    "quantity": "Stock Qty|stock_qty|Qty in stock|Qty available|Quantity in stock|In stock qty|Stock on hand"
    "|Current stock|QOH|Qty on hand|Quantity on hand|Stock count|Available stock|Total stock|Inventory qty"
    "|Inventory level|Available qty|Units in stock|Stk|Stock físico|Saldo|Estoque total|Quantité dispo|Stock dispo"
    "|Nb en stock|Menge auf Lager|Auf Lager|Lagerbest.|Verfügbare Stück|Pezzi|Qta|Q.tà|Quantità disp.|Esistenza",
    "price": "Prix de vente TTC|Prix public TTC|Prix unitaire TTC|PVP con IVA|Precio con IVA|Precio final"
    "|Precio público|Precio lista|Precio de lista|Preço final|Preço com IVA|VK brutto|Verkaufspreis brutto|Bruttopreis"
    "|Preis inkl. MwSt.|Price EUR|Price (USD)|Price incl. VAT|Price inc tax|Retail price|RRP|MSRP|Prezzo IVA inclusa",
    "sku": "Händler-SKU|SKU No.|SKU-Nr.|SKU-Nummer|Artikel-Nummer|Cód. produto|Cod. articolo|Número de artículo"
    "|Item No.|Item #|Part No|Part #|Part Number|Product ID|Internal SKU|Vendor SKU|Stock Keeping Unit",
}


def fields(headers, kind="products"):
    return {column.header: column.field for column in guess_mapping(headers, kind) if column.field}


@pytest.mark.parametrize(("field", "headers"), SAID.items())
def test_a_header_may_be_short_turned_around_or_marked(field, headers):
    beside = ["Title", "EAN"] if field == "sku" else ["SKU", "Title"]
    found = {header: fields([*beside, header]).get(header) for header in headers.split("|")}
    assert found == dict.fromkeys(found, field)


@pytest.mark.parametrize("header", ["eBay item ID", "Ebay item number", "Listing No", "Angebots-Nr.", "Item #"])
def test_a_number_of_listings_may_be_short_too(header):
    assert fields(["Title", header], "listings")[header] == "listing_id"


@pytest.mark.parametrize(
    "header",
    "Model|Style|In stock|En stock|Stock status|Stock number|Reserved qty|Min qty|Reorder level|Unit count|Qty sold"
    "|Prix HT|Preis netto|Price excl. VAT|Precio sin IVA|Cost price|Old price|Min price|VAT|Quantity Price 1"
    "|Incoming stock|Stock value|Prix de revient".split("|"),
)
def test_a_word_too_many_says_something_else(header):
    assert fields(["SKU", "Title", header]).get(header) in (None, "mpn")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("SKU,Product ID,Vendor SKU,Title", "sku - - title"),
        ("Product ID,Part Number,Title", "- sku title"),
        ("SKU,Part Number,Title", "sku mpn title"),
        ("Part Number,Manufacturer part number,Title", "sku mpn title"),
        ("SKU,Price,RRP", "sku price -"),
        ("SKU,MSRP,RRP,Title", "sku - - title"),
        ("SKU,Price incl. VAT,Price excl. VAT", "sku price -"),
        ("SKU,Prix HT,Prix public TTC", "sku - price"),
        ("SKU,QOH,quantity", "sku - quantity"),  # a listed word beats a rule
        ("SKU,Price,Price incl. VAT", "sku price -"),
    ],
)
def test_a_weak_word_is_taken_only_where_nothing_better_is_there(headers, expected):
    assert [column.field or "-" for column in guess_mapping(headers.split(","), "products")] == expected.split()


@pytest.mark.parametrize("headers", ["SKU,Stock Qty,Qty available", "SKU,Price EUR,Price incl. VAT"])
def test_two_columns_by_rule_are_never_chosen_between_in_silence(headers):
    with pytest.raises(FileRefused) as caught:
        guess_mapping(headers.split(","), "products")
    assert caught.value.problem.code == "duplicate_header"


@pytest.mark.parametrize("kind", KIND_FIELDS)
def test_spelt_alike_no_word_means_two_fields_of_a_kind(kind):
    meant: dict[str, set[str]] = {}
    for field in {"sku", "listing_id", "listing_sku", "gtin", "mpn"} & set(KIND_FIELDS[kind]):
        for word in WORDS[field]:
            meant.setdefault(spelt_alike(gist(word)), set()).add(field)
    assert {said: several for said, several in meant.items() if len(several) > 1} == {}


ML = "Código de la publicación;Variante;SKU;{title};{quantity};Precio\nMLA1;;ML-1;Taza;3;500\n"


@pytest.mark.parametrize(
    "quantity",
    "Estoque|Quantidade disponível|Existencias|Stock disponible|Inventario|Unidades|Disponible|Stock físico".split("|"),
)
def test_a_known_export_keeps_a_stock_column_that_its_preset_does_not_know(run, quantity):
    checked = run(ML.format(title="Título", quantity=quantity), kind="listings")
    assert checked.report.preset == "mercado_libre"
    assert (checked.rows[2]["quantity"], checked.rows[2]["title"]) == (3, "Taza")


@pytest.mark.parametrize(
    "title", ["Título del anuncio", "Título de la publicación", "Título do anúncio", "Nome", "Producto"]
)
def test_a_known_export_keeps_a_title_that_its_preset_does_not_know(run, title):
    checked = run(ML.format(title=title, quantity="Cantidad"), kind="listings")
    assert checked.report.preset == "mercado_libre"
    assert (checked.rows[2]["quantity"], checked.rows[2]["title"]) == (3, "Taza")


def test_a_known_export_s_own_stock_column_goes_before_the_words(run):
    text = (
        "Handle,Title,SKU,Location,Incoming,Unavailable,Committed,Available,On hand,Stock\nmug,Mug,MUG,A,9,9,9,4,5,7\n"
    )
    checked = run(text, kind="stock")
    assert checked.report.preset == "shopify_inventory"
    assert checked.rows[2]["quantity"] == 5


def test_of_two_stock_columns_that_a_preset_does_not_know_none_is_taken(run):
    text = "Item number,Custom label (SKU),Title,Stock,Units\n1,A,x,3,4\n"
    checked = run(text, kind="listings")
    assert checked.report.preset == "ebay_active_listings"
    assert "quantity" not in checked.rows[2]
