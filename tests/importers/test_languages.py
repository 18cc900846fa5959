"""Headers of known exports and of files of one's own, in languages beyond English."""

from __future__ import annotations

import pytest

from importers.checking import check_file
from importers.report import DEFAULT, Options
from importers.staging import read_staged

AMAZON = {
    "de": "Artikelbezeichnung\tArtikelbeschreibung\tAngebotsnummer\tVerkäufer-SKU\tPreis\tMenge\tProdukt-ID-Typ\tASIN 1"
    "\tProdukt-ID\tVersender\tStatus",
    "es": "título-producto\tdescripción-producto\tid-listado\tsku-vendedor\tprecio\tcantidad\ttipo-id-producto\tasin1"
    "\tid-producto\tcanal-gestión\testado",
    "fr": "nom-produit\tdescription-article\tidentifiant-offre\tsku-vendeur\tprix\tquantité\ttype-id-produit\tasin1"
    "\tid-produit\tcanal-traitement\tétat",
    "it": "nome-articolo\tdescrizione-articolo\tid-offerta\tsku-venditore\tprezzo\tquantità\ttipo-id-prodotto\tasin1"
    "\tid-prodotto\tcanale-gestione\tstato",
}
EBAY = {
    "de": "Artikelnummer;Angebotstitel;Variantendetails;Bestandseinheit (SKU);Verfügbare Stückzahl;Währung;"
    "Aktueller Preis",
    "es": "Número de artículo;Título;Detalles de la variación;Etiqueta personalizada (SKU);Cantidad disponible;Moneda;"
    "Precio actual",
    "fr": "Numéro de l'objet;Titre;Détails de la variante;Étiquette personnalisée (SKU);Quantité disponible;Devise;"
    "Prix actuel",
    "it": "Numero oggetto;Titolo;Dettagli variante;Etichetta personalizzata (SKU);Quantità disponibile;Valuta;"
    "Prezzo attuale",
}
WOO = {
    "nl": "ID,Type,SKU,Naam,Gepubliceerd,Korte beschrijving,Op voorraad?,Voorraad,Actieprijs,Reguliere prijs,Hoofd",
    "pl": "ID,Rodzaj,SKU,Nazwa,Opublikowano,Krótki opis,W magazynie?,Stan magazynowy,Cena promocyjna,Cena,Nadrzędny",
    "sv": "ID,Typ,Artikelnummer,Namn,Publicerad,Kort beskrivning,I lager?,Lager,Reapris,Ordinarie pris,Överordnad",
    "da": "ID,Type,Varenummer (SKU),Navn,Udgivet,Kort beskrivelse,På lager?,Lager,Tilbudspris,Normal pris,Forælder",
    "cs": "ID,Typ,Katalogové číslo,Název,Publikováno,Krátký popis,Skladem?,Sklad,Akční cena,Běžná cena,Nadřazený",
    "tr": "ID,Tür,Stok kodu (SKU),İsim,Yayımlanmış,Kısa açıklama,Stokta?,Stok,İndirimli fiyat,Normal fiyat,Ebeveyn",
    "ru": "ID,Тип,Артикул,Имя,Опубликован,Краткое описание,В наличии?,Запасы,Акционная цена,Базовая цена,Родительский",
}
OWN = {
    "nl": "Artikelcode;Omschrijving;Voorraad;Verkoopprijs;Merk;Streepjescode",
    "pl": "Kod produktu;Nazwa;Ilość;Cena brutto;Producent;Kod kreskowy",
    "cs": "Kód;Název;Množství;Cena s DPH;Výrobce;Čárový kód",
    "sv": "Artikelnr;Benämning;Antal;Pris;Varumärke;Streckkod",
    "hu": "Cikkszám;Megnevezés;Készlet;Bruttó ár;Gyártó;Vonalkód",
    "ro": "Cod produs;Denumire;Stoc;Preț;Producător;Cod de bare",
    "tr": "Stok Kodu;Ürün Adı;Stok Adedi;Satış Fiyatı;Marka;Barkod",
    "ru": "Артикул;Наименование;Остаток;Цена;Бренд;Штрихкод",
    "el": "Κωδικός;Ονομασία;Απόθεμα;Τιμή;Μάρκα;Barcode",
    "ja": "商品コード;商品名;在庫数;販売価格;ブランド;JANコード",
    "zh": "商品编码;商品名称;库存;价格;品牌;条形码",
    "ko": "상품코드;상품명;재고수량;판매가;브랜드;바코드",
    "lt": "Prekės kodas;Pavadinimas;Likutis;Kaina;Gamintojas;Brūkšninis kodas",
    "lv": "Preces kods;Nosaukums;Daudzums;Cena;Ražotājs;Svītrkods",
    "et": "Tootekood;Nimetus;Laoseis;Hind;Tootja;Ribakood",
    "hr": "Šifra artikla;Naziv;Količina;Cijena;Proizvođač;Barkod",
    "sl": "Šifra;Naziv;Zaloga;Cena;Proizvajalec;Črtna koda",
    "bg": "Код на продукт;Име;Наличност;Цена;Бренд;Баркод",
    "vi": "Mã sản phẩm;Tên sản phẩm;Tồn kho;Giá bán;Thương hiệu;Mã vạch",
    "he": "מק״ט;שם מוצר;מלאי;מחיר;Brand;ברקוד",
    "th": "รหัสสินค้า;ชื่อสินค้า;จำนวน;ราคา;Brand;Barcode",
    "ar": "رمز المنتج;اسم المنتج;الكمية;السعر;Brand;Barcode",
    "id": "Kode Produk;Nama Produk;Jumlah Stok;Harga;Brand;Barcode",
    "hu short": "Cikkszám;Név;Készlet;Ár;Márka;Vonalkód",
}


@pytest.mark.parametrize("language", AMAZON)
def test_amazon_reports_are_known_in_the_language_of_their_marketplace(run, language):
    row = 'Tasse "blau"\t\t0101A\tBE-1\t12,90\t5\t4\tB000000001\t4006381333931\tDEFAULT\tx'
    ships = "Tasse\t\t0102A\tBE-2\t9,50\t\t1\tB000000002\tB000000002\tAMAZON_EU\tx"
    checked = run("\n".join((AMAZON[language], row, ships, "")).encode("cp1252"), kind="listings")
    assert checked.report.preset == "amazon_all_listings"
    first, second = checked.rows.values()
    assert (first["listing_id"], first["sku"], first["title"]) == ("0101A", "BE-1", 'Tasse "blau"')
    assert (first["price"], first["quantity"], first["gtin"]) == ("12.90", 5, "4006381333931")
    assert not second.keys() & {"gtin", "quantity"}


@pytest.mark.parametrize("language", EBAY)
def test_ebay_numbers_are_no_skus_in_any_language(run, language):
    checked = run(f"{EBAY[language]}\n110123;Tasse;;BE-1;5;EUR;9,90\n".encode("cp1252"), kind="listings")
    assert checked.report.preset == "ebay_active_listings"
    assert checked.rows[2] == {
        "listing_id": "110123", "sku": "BE-1", "match_key": "BE-1", "title": "Tasse", "quantity": 5, "currency": "EUR",
        "price": "9.90",
    }  # fmt: skip


@pytest.mark.parametrize("language", WOO)
def test_woocommerce_is_known_in_the_language_of_the_shop(run, language):
    rows = '10,variable,M,Mug,1,,1,,,,\n11,variation,M-1,Mug red,1,,1,5,,"12,50",id:10\n'
    checked = run(f"{WOO[language]}\n{rows}")
    assert (checked.report.preset, checked.report.rows_skipped) == ("woocommerce", 1)
    assert checked.rows[3] == {
        "sku": "M-1", "match_key": "M-1", "title": "Mug red", "quantity": 5, "price": "12.50", "base_sku": "M",
    }  # fmt: skip


@pytest.mark.parametrize("language", OWN)
def test_files_of_ones_own_are_read_by_their_words(run, language):
    checked = run(f"{OWN[language]}\nT-1;Mug;5;12,50;Acme;4006381333931\n")
    assert checked.rows[2] == {
        "sku": "T-1", "match_key": "T-1", "title": "Mug", "quantity": 5, "price": "12.50", "brand": "Acme",
        "gtin": "4006381333931",
    }  # fmt: skip


def test_a_short_description_is_the_title_where_there_is_none_and_a_long_one_is_not(run):
    assert run("Código,Descripción,Existencia\nT-1,Taza azul,5\n").rows[2]["title"] == "Taza azul"
    long = run(f"sku,description,quantity\nT-1,{'words ' * 40},5\n").rows[2]
    assert ("title" in long, "description" in long) == (False, True)
    assert "title" not in run("sku,description\nT-1,<p>Mug</p>\n").rows[2]
    both = run("sku,title,description\nT-1,Mug,Blue\n").rows[2]
    assert (both["title"], both["description"]) == ("Mug", "Blue")


def test_etsy_names_the_skus_of_all_variations_in_one_cell(tmp_path):
    head = "TITLE,DESCRIPTION,PRICE,CURRENCY_CODE,QUANTITY,IMAGE1,VARIATION 1 TYPE,VARIATION 1 VALUES,SKU\n"
    rows = 'Mug,x,9.90,EUR,5,,Color,"Blue,Red","MUG-B, MUG-R"\nCap,x,5.00,EUR,2,,,,"CAP,1"\n'
    path, staged = tmp_path / "etsy.csv", tmp_path / "staged"
    path.write_text(head + rows, encoding="utf-8")
    report = check_file(path, "listings", staged, Options(), DEFAULT, path.name)
    assert (report.preset, report.rows, report.rows_ok) == ("etsy_listings", 3, 3)
    found = [(number, row["sku"], row.get("quantity")) for number, row in read_staged(staged)]
    assert found == [(2, "MUG-B", None), (2, "MUG-R", None), (3, "CAP,1", 2)]


def test_tiktok_offers_have_numbers_of_their_own(run):
    head = "product_id,category,product_name,sku_id,variation_value,price,quantity,seller_sku\n"
    labels = "Product ID,Category,Product name,SKU ID,Variation,Price,Quantity,Seller SKU\n"
    rule = "Not editable,,Mandatory,Not editable,,Mandatory,Mandatory,Optional\n"
    checked = run(f"{head}{labels}{rule}172938,Mugs,Mug,172999,Blue,9.90,5,MUG-B\n", kind="listings")
    assert (checked.report.preset, checked.report.errors) == ("tiktok_shop", ())
    (row,) = checked.rows.values()
    assert (row["listing_id"], row["parent_id"], row["sku"], row["quantity"]) == ("172999", "172938", "MUG-B", 5)


def test_sap_stock_is_told_by_its_two_columns(run):
    checked = run("Material;Materialkurztext;Werk;Lagerort;Frei verwendbar\n000042;Becher;1000;0001;12\n", kind="stock")
    assert checked.rows[2] == {"sku": "000042", "match_key": "000042", "quantity": 12, "warehouse": "0001"}


@pytest.mark.parametrize("said", ["False", "null", "-", "não se aplica", "Not applicable"])
def test_what_programs_write_for_no_barcode_is_none(run, said):
    checked = run(f"sku,title,barcode\nA,Mug,{said}\n")
    assert ("gtin" in checked.rows[2], checked.warnings) == (False, set())


@pytest.mark.parametrize("price", ["6,50 zł", "6,50 Kč", "6,50 kr", "6,50 Ft", "₺6,50", "6,50 lei"])
def test_signs_of_more_currencies_are_left_out_with_a_warning(run, price):
    checked = run(f"sku;title;price\nA;Mug;{price}\n")
    assert (checked.rows[2]["price"], checked.warnings) == ("6.50", {"currency_sign"})


def test_a_barcode_that_became_a_decimal_number_is_its_digits(run):
    assert run("sku,title,ean\nA,Mug,4006381333931.0\n").rows[2]["gtin"] == "4006381333931"


SELLERS = [
    ("listings", "Артикул;Ozon Product ID;SKU;Название товара", "KR-1;123456;987;Mug", ("KR-1", "123456")),
    ("listings", "Offer SKU;Product SKU;Product title;Price;Offer ID", "TA-1;P-9;Mug;1,50;9988", ("TA-1", "9988")),
    ("listings", "SKU del oferta;SKU de producto;Título;Precio", "TA-1;P-9;Mug;1,50", ("TA-1", "TA-1")),
    (
        "listings",
        "Product ID;Product Name;Variation ID;Variation Name;SKU;Stock",
        "1;Mug;456;Blue;MUG-B;5",
        ("MUG-B", "456"),
    ),
    ("listings", "Seller Part #;UPC;NE Item #;Selling Price", "MUG;;9SIA001;9.90", ("MUG", "9SIA001")),
    ("listings", "ID oferty;Tytuł oferty;Sygnatura/SKU Sprzedawcy;Cena", "123;Mug;KUB-1;1,50", ("KUB-1", "123")),
    ("products", "Product ID;Product Name;Product Code/SKU;Price;Sale Price", "77;Mug;MUG;9.90;0", ("MUG", None)),
    ("products", "Barkod;Model Kodu;Ürün Adı;Tedarikçi Stok Kodu", ";M1;Mug;KUP-1", ("KUP-1", None)),
    ("products", "*ItemCode;ItemName;Quantity;SalesUnitPrice", "MUG;Mug;5;9.90", ("MUG", None)),
]


@pytest.mark.parametrize(("kind", "head", "row", "expected"), SELLERS)
def test_the_sku_is_the_sellers_and_the_id_that_of_the_offer(run, kind, head, row, expected):
    (found,) = run(f"{head}\n{row}\n", kind=kind).rows.values()
    assert (found["sku"], found.get("listing_id")) == expected
    assert kind == "listings" or found["title"] == "Mug"


@pytest.mark.parametrize(
    ("head", "price"),
    [
        *(("sku,name,Price (tax excl.),Price (tax incl.)", "2.00"), ("sku,name,Price,Sale Price", "1.00")),
        *(("sku,name,Price (tax excl.),Cost", "1.00"), ("sku,name,Prezzo (IVA esclusa),Prezzo (IVA inclusa)", "2.00")),
    ],
)
def test_the_price_with_tax_goes_first_and_a_sale_is_none(run, head, price):
    assert run(f"{head}\nA,Mug,1.00,2.00\n").rows[2]["price"] == price


def test_a_unit_is_no_quantity(run):
    checked = run("Código;Nome;Unidade;Estoque\nA;Mug;UN;5\n")
    assert (checked.rows[2]["quantity"], checked.report.errors) == (5, ())


def test_tiendanube_variants_continue_the_product_above(run):
    head = "Identificador de URL;Nombre;Categorías;Nombre de propiedad 1;Valor de propiedad 1;Precio;Stock;SKU;Marca\n"
    rows = "taza;Taza;Hogar;Color;Azul;1250,00;5;TAZ-AZ;Acme\ntaza;;;;Rojo;1250,00;3;TAZ-RO;\n"
    checked = run(head + rows)
    assert checked.report.preset == "tiendanube"
    assert checked.rows[3] == {
        "sku": "TAZ-RO", "match_key": "TAZ-RO", "title": "Taza", "category": "Hogar", "brand": "Acme",
        "price": "1250.00", "quantity": 3, "base_sku": "taza", "options": {"Color": "Rojo"},
    }  # fmt: skip


def test_a_barcode_that_an_export_guards_is_its_digits(run):
    assert run('sku,title,ean\nA,a,"=""4006381333931"""\n').rows[2]["gtin"] == "4006381333931"
