"""Exports known by name, from short samples of our own in the shape of each."""

from __future__ import annotations

import csv
import io

import pytest
from openpyxl import Workbook

SHOPIFY_OLD = """Handle,Title,Body (HTML),Vendor,Option1 Name,Option1 Value,Variant SKU,\
Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Status
mug,Mug,<p>Blue</p>,Acme,Colour,Blue,MUG-B,4,9.90,'4006381333931,https://x/1.jpg,active
mug,,,,,Red,MUG-R,0,9.90,,https://x/2.jpg,
mug,,,,,,,,,,https://x/3.jpg,
cap,Cap,,Acme,Title,Default Title,CAP,7,5.00,,,active
"""
SHOPIFY_NEW = """Title,URL handle,Description,Vendor,Status,SKU,Barcode,Option1 name,Option1 value,Price,\
Inventory quantity,Product image URL
Mug,mug,Blue,Acme,Active,MUG-B,4006381333931,Colour,Blue,9.90,4,https://x/1.jpg
,mug,,,,MUG-R,,,Red,9.90,0,
,mug,,,,,,,,,,https://x/3.jpg
"""


@pytest.mark.parametrize(
    ("content", "name"), [(SHOPIFY_OLD, "shopify_products_old"), (SHOPIFY_NEW, "shopify_products")]
)
def test_shopify_variants_inherit_their_title_and_pictures_are_no_products(run, content, name):
    checked = run(content)
    assert checked.report.preset == name
    assert checked.report.rows_skipped == 1
    assert checked.rows[2]["gtin"] == "4006381333931"
    red = checked.rows[3]
    assert (red["title"], red["brand"], red["base_sku"], red["options"]) == ("Mug", "Acme", "mug", {"Colour": "Red"})
    assert red["quantity"] == 0


def test_a_shopify_product_without_variants_has_no_options_and_no_base(run):
    cap = run(SHOPIFY_OLD).rows[5]
    assert "options" not in cap
    assert "base_sku" not in cap


def test_shopify_inventory_leaves_out_what_a_location_does_not_stock(run):
    content = (
        "Handle,Title,SKU,Location,Available (not editable),On hand (current),On hand (new)\n"
        "mug,Mug,MUG,Madrid,4,5,\nmug,Mug,MUG,Paris,not stocked,not stocked,not stocked\ncap,Cap,CAP,Madrid,1,1,9\n"
    )
    checked = run(content, kind="stock")
    assert checked.report.preset == "shopify_inventory"
    assert checked.report.rows_skipped == 1
    assert [(row["sku"], row["warehouse"], row["quantity"]) for row in checked.rows.values()] == [
        ("MUG", "Madrid", 5),
        ("CAP", "Madrid", 9),
    ]


WOO = """ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,"In stock?",Stock,Sale price,Regular price,Parent,\
Attribute 1 name,Attribute 1 value(s)
10,variable,MUG,,Mug,1,1,,,,,Colour,"Blue, Red"
11,"variation, virtual",'-RED,,Mug red,1,1,3,,"12,50",id:10,Colour,Red
12,simple,90.750,4006381333931,Cap,1,0,0,4.00,5.00,,Material,Cotton
"""


def test_woocommerce_parents_are_no_products_and_escaped_skus_come_back(run):
    checked = run("\ufeff" + WOO)
    assert checked.report.preset == "woocommerce"
    assert checked.report.rows_skipped == 1
    assert checked.rows[3] | {} == {
        "sku": "-RED",
        "match_key": "-RED",
        "title": "Mug red",
        "quantity": 3,
        "price": "12.50",
        "base_sku": "MUG",
        "options": {"Colour": "Red"},
    }
    assert (checked.rows[4]["sku"], checked.rows[4]["price"], checked.rows[4]["quantity"]) == ("90.750", "5.00", 0)
    assert "options" not in checked.rows[4]
    assert "escaped_text" in checked.warnings


def test_a_translated_woocommerce_file_is_read_by_its_words(run):
    content = "ID;Tipo;SKU;Nombre;¿Existencias?;Inventario;Precio rebajado;Precio normal\n1;simple;A;Taza;1;3;;12,50\n"
    assert run(content).rows[2] == {"sku": "A", "title": "Taza", "quantity": 3, "price": "12.50", "match_key": "A"}


EBAY = """Item number,Title,Variation details,Custom label (SKU),Available quantity,Format,Currency,Start price,\
Current price,P:UPC,P:EAN
111,Mug,Color=Red;Blue,,7,FIXED_PRICE,EUR,,,,
111,Mug,Color=Red,MUG-R,3,FIXED_PRICE,EUR,9.90,9.90,,4006381333931
111,Mug,Color=Blue,,4,FIXED_PRICE,EUR,9.90,9.90,,
222,Cap,,CAP,2,FIXED_PRICE,EUR,5.00,5.00,,Does not apply
"""


def test_an_ebay_listing_with_variations_counts_its_variations_and_not_their_sum(run):
    checked = run(EBAY, kind="listings")
    assert checked.report.preset == "ebay_active_listings"
    assert checked.report.rows_skipped == 1
    assert {number: row["listing_id"] for number, row in checked.rows.items()} == {
        3: "111:MUG-R",
        4: "111:Color=Blue",
        5: "222",
    }
    assert checked.rows[3]["gtin"] == "4006381333931"
    assert "gtin" not in checked.rows[5]


def test_google_merchant_prices_carry_their_currency(run):
    content = (
        "ID [id]\tTitle [title]\tlink\tprice\tavailability\tgtin\timage_link\n"
        "A\tMug\thttps://x\t9.80 EUR\tin_stock\t4006381333931\thttps://x/1.jpg\n"
    )
    checked = run(content)
    assert checked.report.preset == "google_merchant"
    assert (checked.rows[2]["price"], checked.rows[2]["currency"]) == ("9.80", "EUR")
    french = run(content.replace("9.80 EUR", "1 234,50 CHF")).rows[2]
    assert (french["price"], french["currency"]) == ("1234.50", "CHF")
    assert "currency" not in run(content.replace("9.80 EUR", "9.80")).rows[2]
    assert run(content.replace("9.80 EUR", "EUR")).errors == [(2, "not_a_number")]
    listing = run(content, kind="listings").rows[2]
    assert (listing["listing_id"], listing["url"]) == ("A", "https://x")


def test_an_amazon_template_is_read_by_its_technical_names(run):
    content = (
        "TemplateType=fptcustom\tVersion=2026.0401\tDo not delete the top 3 rows\n"
        "SKU des Verkäufers\tMarke\tProduktname\tProdukt-ID\tTyp der Produkt-ID\tPreis\tBestand\tVaterschaft\tVater\n"
        "item_sku\tbrand_name\titem_name\texternal_product_id\texternal_product_id_type\tstandard_price\tquantity\t"
        "parent_child\tparent_sku\n"
        "TS\tAcme\tT-shirt\t\t\t\t\tParent\t\n"
        "TS-R\tAcme\tT-shirt red\t4006381333931\tEAN\t19.90\t4\tChild\tTS\n"
        "TS-B\tAcme\tT-shirt blue\tB0AAAAAA02\tASIN\t19.90\t\tChild\tTS\n"
    )
    checked = run(content)
    assert (checked.report.preset, checked.report.header_row, checked.errors) == ("amazon_flat_file", 3, [])
    assert (list(checked.rows), checked.report.rows_skipped) == ([5, 6], 1)
    assert {name: checked.rows[5][name] for name in ("gtin", "price", "quantity", "base_sku", "title")} == {
        "gtin": "4006381333931", "price": "19.90", "quantity": 4, "base_sku": "TS", "title": "T-shirt red",
    }  # fmt: skip
    assert "gtin" not in checked.rows[6]
    assert "quantity" not in checked.rows[6]


@pytest.mark.parametrize(
    "head",
    [
        "Número de publicación;Variante;SKU;Título;Precio [$];Stock;Estado",
        "Código do anúncio;Variação;SKU;Título;Preço;Quantidade;Status",
    ],
)
def test_variations_of_mercado_libre_are_listings_of_their_own_and_its_hints_none(run, head):
    checked = run(
        f"Modifica tus publicaciones;;;;;;\nNo cambies las columnas;;;;;;\n{head}\n"
        "No se puede modificar;No se puede modificar;Opcional;Obligatorio;Obligatorio;Obligatorio;Obligatorio\n"
        "MLM1;;A-1;Taza;199,50;3;Activa\nMLM2;179;TS-R;Roja;299;4;Activa\nMLM2;180;TS-B;Azul;299;0;Activa\n",
        kind="listings",
    )
    assert (checked.report.preset, checked.report.header_row, checked.errors) == ("mercado_libre", 3, [])
    assert [row["listing_id"] for row in checked.rows.values()] == ["MLM1", "MLM2:179", "MLM2:180"]
    assert (checked.rows[5]["price"], checked.rows[7]["quantity"], checked.report.rows_skipped) == ("199.50", 0, 1)
    price = next(column for column in checked.report.mapping if column.field == "price")
    assert (price.samples, price.reads) == (("199,50", "299", "299"), ("199.50", "299", "299"))


def test_a_text_of_several_lines_is_shown_in_one(run):
    checked = run('sku,title,description\nA-1,Mug,"<p>Big,\n\r\nwith a lid</p>"\n')
    assert checked.report.mapping[2].samples == ("<p>Big, with a lid</p>",)
    assert checked.rows[2]["description"] == "<p>Big,\n\r\nwith a lid</p>"


def test_a_mercado_libre_sheet_is_found_below_its_instructions(run):
    content = (
        "Publicaciones;;;\nCompleta los datos;;;\nID;Título;Precio;Cantidad disponible;SellerCustomSku;Estado\n"
        "MLA1;Taza;12,50;3;TAZA;active\n"
    )
    checked = run(content, kind="listings")
    assert checked.report.preset == "mercado_libre"
    assert (checked.rows[4]["listing_id"], checked.rows[4]["sku"], checked.rows[4]["price"]) == (
        "MLA1",
        "TAZA",
        "12.50",
    )


def test_linnworks_links_are_read(run):
    content = "Source,SubSource,Linnworks SKU,Channel SKU\nEBAY,Shop 1,MUG,ebay-mug\n"
    checked = run(content, kind="links")
    assert checked.rows[2] == {
        "source": "EBAY",
        "channel": "Shop 1",
        "sku": "MUG",
        "listing_sku": "ebay-mug",
        "match_key": "MUG",
    }


def test_our_own_link_file_is_read(run):
    checked = run("channel,listing_id,sku\nc1,0012,MUG\nc1,,CAP\n", kind="links")
    assert checked.rows[2] == {"channel": "c1", "listing_id": "0012", "sku": "MUG", "match_key": "MUG"}
    assert checked.errors == [(3, "blank")]


def test_amazon_price_files_leave_blank_quantities_alone(run):
    head = "sku\tprice\tminimum-seller-allowed-price\tmaximum-seller-allowed-price\tquantity\thandling-time\n"
    checked = run(head + "A\t9.99\t\t\t\t\nB\t\t\t\t0\t2\n", kind="stock")
    assert checked.report.preset == "amazon_price_quantity"
    assert "quantity" not in checked.rows[2]
    assert checked.rows[3]["quantity"] == 0


def test_a_preset_can_be_named_and_declined(run):
    assert run(SHOPIFY_OLD, preset="none").report.preset is None
    assert run("sku,title\nA,b\n", preset="pairbook").rows[2]["title"] == "b"
    assert run("sku,title\nA,b\n", preset="unheard_of").errors == [(1, "unknown_value")]


def test_a_price_under_a_header_of_its_own_is_taken_too(run):
    text = "Item number,Custom label (SKU),Title,Available quantity,Price,Type\n1,A,x,3,9.50,new\n"
    checked = run(text, kind="listings")
    assert checked.report.preset == "ebay_active_listings"
    assert checked.rows[2]["price"] == "9.50"
    assert {c.header: c.why for c in checked.report.mapping}["Price"] == "recognised"


def test_two_such_headers_are_left_to_the_person(run):
    text = "Item number,Custom label (SKU),Title,Available quantity,Price,Sale price,List price\n1,A,x,3,9.50,8.50,10\n"
    assert run(text, kind="listings").report.outcome == "accept"


WIDE = "Handle,Title,SKU,HS Code,COO,Madrid,Paris\nmug,Mug,MUG,,,5,x\ncap,Cap,CAP,,,1\ncap,Cap,cap,,,0,not stocked\n"


def test_a_stock_export_with_a_column_for_each_location_names_what_is_wrong_by_its_row(run):
    checked = run(WIDE, kind="stock")
    assert checked.errors == [(2, "not_a_number"), (3, "ragged_row")]
    assert checked.rows == {
        2: {"sku": "MUG", "match_key": "MUG", "warehouse": "Madrid", "quantity": 5},
        4: {"sku": "cap", "match_key": "cap", "warehouse": "Madrid", "quantity": 0},
    }
    assert "7" in checked.report.errors[1].message


def test_one_product_in_two_warehouses_is_no_look_alike_of_itself(run):
    content = "SKU,Warehouse,Quantity\nA-1,Madrid,1\nA-1,Paris,2\n"
    assert "sku_case" not in run(content, kind="stock").warnings
    checked = run(content + "a-1,Paris,3\n", kind="stock")
    assert [w.message for w in checked.report.warnings] == [
        "These SKUs differ by case only: A-1 (row 2), a-1 (row 4). They are kept as different products."
    ]


def test_an_ebay_listing_keeps_its_variations_when_the_file_was_sorted(run):
    rows = EBAY.splitlines(keepends=True)
    checked = run("".join([rows[0], rows[2], rows[1], rows[3].replace("Mug", "")]), kind="listings")
    assert [(row["listing_id"], row["title"]) for row in checked.rows.values()] == [
        ("111:MUG-R", "Mug"),
        ("111:Color=Blue", "Mug"),
    ]


def test_no_variation_on_ebay_is_taken_for_the_sum_where_the_file_has_no_sum(run):
    rows = EBAY.splitlines(keepends=True)
    checked = run("".join([rows[0], *rows[2:]]), kind="listings")
    assert [row["listing_id"] for row in checked.rows.values()] == ["111:MUG-R", "111:Color=Blue", "222"]
    sizes = [
        rows[2].replace("Color=Red", f'"Color={color};Size=S"').replace("MUG-R", color) for color in ("Red", "Tan")
    ]
    checked = run(rows[0] + "".join(sizes), kind="listings")
    assert [row["listing_id"] for row in checked.rows.values()] == ["111:Red", "111:Tan"]


def test_of_a_sum_and_one_variation_on_ebay_the_variation_has_the_sku(run):
    rows = EBAY.splitlines(keepends=True)
    total = rows[1].replace("Color=Red;Blue", "Color=Red")
    for group in ([total, rows[2]], [rows[2], total]):
        checked = run("".join([rows[0], *group]), kind="listings")
        assert [row["listing_id"] for row in checked.rows.values()] == ["111:MUG-R"]


def test_a_sum_on_ebay_without_variations_is_the_listing_and_has_no_value_of_its_own(run):
    rows = EBAY.splitlines(keepends=True)
    checked = run("".join(rows[:2]), kind="listings")
    assert [(row["listing_id"], row.get("options")) for row in checked.rows.values()] == [("111", None)]


def test_an_asin_is_no_barcode_even_where_the_file_does_not_say_its_type(run):
    head = "seller-sku\titem-name\tasin1\tproduct-id\tprice\tquantity\n"
    checked = run(head + "A\tMug\tB0EXAMPLE1\tB0EXAMPLE1\t1\t1\nB\tCap\tB0EXAMPLE2\t4006381333931\t1\t1\n")
    assert [row.get("gtin") for row in checked.rows.values()] == [None, "4006381333931"]


def test_a_woocommerce_parent_without_sku_still_groups_its_variations(run):
    content = WOO.replace("variable,MUG,", "variable,,")
    assert run(content).rows[3]["base_sku"] == "id:10"


@pytest.mark.parametrize("sku", ["MUG", ""])
def test_a_woocommerce_variation_above_its_parent_finds_it(run, sku):
    head, parent, *others = WOO.splitlines()
    content = "\n".join([head, *others, parent.replace("variable,MUG,", f"variable,{sku},"), ""])
    checked = run(content)
    assert checked.rows[2]["base_sku"] == (sku or "id:10")
    assert (checked.report.rows, checked.report.rows_skipped) == (3, 1)


def test_the_second_look_at_a_workbook_leaves_what_is_hidden_as_it_was(run):
    head, parent, *others = csv.reader(WOO.splitlines())
    book, packed = Workbook(), io.BytesIO()
    for cells in (head, *others, parent):
        book.active.append(cells)
    book.active.row_dimensions[2].hidden = True
    book.save(packed)
    checked = run(packed.getvalue(), name="woo.xlsx")
    assert checked.rows[2]["base_sku"] == "MUG"
    hidden = [problem.message for problem in checked.report.warnings if problem.code == "hidden_rows"]
    assert len(hidden) == 1
    assert "1" in hidden[0]


def test_columns_that_tell_what_a_row_is_are_not_called_unused(run):
    checked = run(WOO)
    assert not {"ID", "Type", "Parent", "SKU"} & set(checked.report.unused)
    assert {"Published", "In stock?", "Sale price"} <= set(checked.report.unused)
    spanish = WOO.replace("Type,", "Tipo,").replace("Parent,", "Superior,").replace("Regular price", "Precio normal")
    assert not {"ID", "Tipo", "Superior"} & set(run(spanish).report.unused)
