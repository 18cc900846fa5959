"""What the import screens say: doubts and problems with their numbers, and channels that are not there yet."""

from __future__ import annotations

import re

import pytest

from tests.factories import Make
from tests.views import test_imports as screens
from tests.views.test_imports import LISTINGS, count, numbers, send
from webapp.db import unit_of_work
from webapp.models import Channel, ImportKind, Product
from webapp.views import import_words

shop, same_process = screens.shop, screens._same_process


def test_each_doubt_about_a_column_is_counted_by_itself(browse, shop):
    bob = browse("bob")
    wrong = "".join(f"B-{n},Mug,400638133393{n}\n" for n in (2, 3, 4))
    send(bob, f"sku,title,ean\nA-1,Mug,7.50106E+12\n{wrong}", kind="products")
    page = bob.get("/import/1").text
    assert "Row 2: a spreadsheet shortened this code to 7.50106E+12" in page
    assert "3 rows have the same doubt. Row 3: the check digit of the GTIN 4006381333932 is wrong." in page
    send(bob, "sku,title,ean\nA-1,Mug,7.50106E+12\nA-2,Mug,7.50107E+12\n", kind="products")
    assert "A spreadsheet shortened 2 of these codes to values such as 7.50106E+12." in bob.get("/import/2").text


ONES = {"removed": 1, "unlinked": 1, "restored": 1, "kept": 1}


@pytest.mark.parametrize(
    ("language", "numbers", "said"),
    [
        (
            "en",
            ONES,
            ["1 listing removed", "1 link taken back", "1 set to its values", "1 is used by now and was kept."],
        ),
        ("es", ONES, ["1 publicación eliminada", "1 vínculo deshecho", "1 ya está en uso"]),
        ("pt", ONES, ["1 anúncio removido", "1 vínculo desfeito", "1 voltou", "1 já está em uso"]),
        ("fr", ONES, ["1 annonce supprimée", "1 lien retiré", "Conservé car déjà utilisé : 1."]),
        ("en", {"removed": 1200}, ["1,200 listings removed."]),
    ],
)
def test_what_an_undo_took_back_is_said_of_one_as_of_many(app, language, numbers, said):
    with app.test_request_context("/", headers={"Accept-Language": language}):
        told = import_words.undone(ImportKind.LISTINGS, numbers)
    assert [words for words in said if words not in told] == []


def test_new_products_without_a_title_are_not_taken_in_silence(browse, shop):
    bob = browse("bob")
    send(bob, "SKU,Marca\nA-1,Acme\nB-1,Acme\n", kind="products")
    said = "No column holds the title: 1 new product would be shown by its SKU alone."
    assert said in bob.get("/import/1").text
    send(bob, "SKU,Precio\nA-1,5\n", kind="products")
    assert "No column holds the title" not in bob.get("/import/2").text
    send(bob, "SKU,Título\nA-1,\nB-1,Gorra\n", kind="products")
    page = bob.get("/import/3").text
    assert "Row 2: the title is blank. A new product is shown by its SKU alone." in page
    assert "No column holds the title" not in page


def test_a_problem_names_the_field_where_no_column_is_meant(browse, shop):
    bob = browse("bob")
    send(bob, "Canal,ID,Título\nBeta,L1,Taza\nBeta,L2,Gorra\nAlpha,L3,Vaso\n")
    page = bob.get("/import/1").text
    assert "2 values in Channel are not known here" in page


def test_the_result_counts_what_this_file_left_for_review_as_its_check_did(browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    bob.post("/import/1/confirm")
    send(bob, "listing id,title\nL3,Green mug\nL8,Vase\n", channel=shop)
    assert numbers(bob.get("/import/2").text) == [1, 1]
    bob.post("/import/2/confirm")
    assert "0 linked by SKU. 1 waits for your review." in bob.get("/import/2/done").text
    send(bob, "sku,title\nA-7,Vase\n", kind="products")
    bob.post("/import/3/confirm")
    assert "0 linked by SKU. Waiting for your review in all: 2." in bob.get("/import/3/done").text


def test_a_column_chosen_by_hand_counts_as_recognised(browse, shop):
    bob = browse("bob")
    send(bob, "listing id,sku,What it is\nL1,A-1,Mug\n", channel=shop)
    assert "2 of 3 recognised, 1 ignored" in bob.get("/import/1").text
    chosen = {"header": ["listing id", "sku", "What it is"], "field": ["listing_id", "sku", "title"], "channel": shop}
    bob.post("/import/1/check", data=chosen)
    assert "3 of 3 recognised" in bob.get("/import/1").text


def test_an_owner_creates_the_channel_a_file_names_and_the_file_is_checked_again(app, browse, shop):
    text = "channel,listing id,title\nBeta & Co,L1,Mug\nBeta & Co,L2,Cup\nAlpha,L3,Vase\n"
    send(browse("bob"), text)
    assert "Create the channel" not in browse("bob").get("/import/1").text
    assert browse("bob").post("/import/1/channel", data={"name": "Beta & Co"}).status_code == 403
    alice = browse("alice")
    page = alice.get("/import/1").text
    assert page.count("Create the channel “Beta &amp; Co”") == 1
    answer = alice.post("/import/1/channel", data={"name": "Beta & Co"})
    assert (answer.status_code, answer.location) == (303, "/import/1")
    assert "Import 3 rows" in alice.get("/import/1").text
    assert alice.post("/import/1/channel", data={"name": "Beta & Co"}).status_code == 409
    assert count(app, Channel) == 2
    send(alice, text.replace("Beta", "Gamma").replace("Alpha", "Delta"))
    page = alice.get("/import/2").text
    assert "Create the channel “Gamma &amp; Co”" in page
    assert "Create the channel “Delta”" in page


def test_what_changed_since_the_last_file_is_shown_with_the_link_that_stays(browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    assert "What changed since the last file" not in bob.get("/import/1").text
    bob.post("/import/1/confirm")
    send(bob, "listing id,sku,title,price\nL1,A-7,Blue mug,1299.00\nL2,A-2,Red cup,9.50\n", channel=shop)
    page = bob.get("/import/2").text
    for words in (
        "What changed since the last file",
        "1 known listing is not in this file",
        "1 listing has another SKU than before, under the same listing ID",
        "linked to A-1",
        "1 price is another",
        "1,299.00",
        "1 title is another",
    ):
        assert words in page, words


def form(report_page, **more):
    """What the form of the columns would send, with a button of it."""
    headers = re.findall(r'name="header" value="([^"]*)"', report_page)
    fields = re.findall(r'name="field".*?selected>', report_page, re.DOTALL)
    chosen = [re.findall(r'<option value="([^"]*)" selected', field)[0] for field in fields]
    return {"header": headers, "field": chosen, **more}


def test_lost_zeros_are_put_back_by_a_button_and_taken_off_by_another(app, settings, browse, shop):
    with app.app_context(), unit_of_work() as session:
        Make(session, settings).product("00212")
    bob = browse("bob")
    send(bob, "listing id,sku,title\nL1,212,Kettle\n", channel=shop)
    page = bob.get("/import/1").text
    assert "1 SKU is shorter than in your catalogue and would match with zeros in front." in page
    assert "Row 2: 212 is 00212." in page
    bob.post("/import/1/check", data=form(page, kind="listings", channel=shop, zeros="add"))
    page = bob.get("/import/1").text
    assert "1 SKU has its zeros back." in page
    assert "The SKU is the same as in your catalogue" in page
    bob.post("/import/1/check", data=form(page, kind="listings", channel=shop, zeros="leave"))
    page = bob.get("/import/1").text
    assert "would match with zeros in front" in page
    assert "Leave as they are" not in page


def test_a_column_that_a_spreadsheet_spoilt_is_left_out_by_its_button(browse, shop):
    bob = browse("bob")
    send(bob, "sku,title,ean\nA-1,Mug,7.50106E+12\nA-2,Mug,7.50107E+12\n", kind="products")
    page = bob.get("/import/1").text
    assert re.search(r'name="drop" value="ean"', page)
    bob.post("/import/1/check", data=form(page, kind="products", drop="ean"))
    page = bob.get("/import/1").text
    assert 'name="drop"' not in page
    assert "Import 2 rows" in page


def test_the_decimal_mark_is_chosen_by_what_a_number_of_the_file_would_be(browse, shop):
    bob = browse("bob")
    send(bob, "sku;price\nA-1;1,299\nA-2;2,500\n", kind="stock")
    page = bob.get("/import/1").text
    assert "“1,299” can be 1.299 or 1299. Decimal mark in this file:" in page
    bob.post("/import/1/check", data=form(page, kind="stock", mark="point"))
    assert "Import 2 rows" in bob.get("/import/1").text


def test_a_first_row_that_looks_like_data_can_be_said_to_be_some(browse, shop):
    bob = browse("bob")
    send(bob, "A-7,12.50\nA-8,9.00\n", kind="products")
    page = bob.get("/import/1").text
    assert "Are these the names of the columns: A-7, 12.50?" in page
    bob.post("/import/1/check", data={"kind": "products", "first_row": "0"})
    page = bob.get("/import/1").text
    assert "Are these the names" not in page
    sent = form(page, kind="products", header_row="0")
    bob.post("/import/1/check", data=sent | {"field": ["sku", "price"]})
    assert "Import 2 rows" in bob.get("/import/1").text


def test_problems_are_counted_to_the_last_and_grouped_by_their_repair(browse, shop):
    bob = browse("bob")
    bad = "".join(f"A{n},Mug,x{n}\n" for n in range(1_500)) + ",Mug,1\n" * 3
    send(bob, f"sku,title,price\nA-1,Mug,1\n{bad}", kind="products")
    page = bob.get("/import/1").text
    assert "1,503 rows have problems" in page
    assert "1,500 values in price are not numbers" in page
    assert "Rows 3, 4, 5, 6, and 1,496 more." in page
    assert "3 rows have nothing in sku" in page
    assert "Rows 1,503, 1,504, and 1,505. Type it, or delete the row." in page


def test_broken_letters_are_put_right_by_a_button_and_kept_by_another(app, browse, shop):
    bob = browse("bob")
    text = "Código,Título\nA-7,Café molido\n"
    send(bob, text.encode().decode("cp1252"), kind="products")
    page = bob.get("/import/1").text
    assert "Some letters look broken (“CÃ³digo”). Put right, it is “Código”." in page
    bob.post("/import/1/check", data={"kind": "products", "letters": "mend"})
    page = bob.get("/import/1").text
    assert "Broken letters are put right." in page
    bob.post("/import/1/confirm")
    assert count(app, Product, Product.title == "Café molido") == 1
    send(bob, "sku,title\nA-8,CafÃ©\n", kind="products")
    bob.post("/import/2/check", data={"kind": "products", "letters": "keep"})
    assert "letters" not in bob.get("/import/2").text
    bob.post("/import/2/confirm")
    assert count(app, Product, Product.title == "CafÃ©") == 1


def test_letters_that_a_chosen_encoding_broke_lead_back_to_that_of_the_file(browse, shop):
    bob = browse("bob")
    send(bob, "sku,title\nA-8,Café\n", kind="products")
    bob.post("/import/1/check", data={"kind": "products", "encoding": "cp1252"})
    page = bob.get("/import/1").text
    assert "Some letters look broken (“CafÃ©”). Read in the encoding of the file, it is “Café”." in page
    bob.post("/import/1/check", data={"kind": "products", "encoding": "cp1252", "letters": "again"})
    page = bob.get("/import/1").text
    assert "Café" in page
    assert "UTF-8" in page
    assert "look broken" not in page


def test_amounts_are_shown_as_they_are_read_beside_the_choice_of_the_decimal_mark(browse, shop):
    bob = browse("bob")
    send(bob, "sku;price;stock\nA-7;1.234,50;3\nA-8;2,25;4\n", kind="products")
    page = bob.get("/import/1").text
    assert "1.234,50 → 1234.50 · 2,25 → 2.25" in page
    assert page.count('name="decimal"') == 1
    bob.post("/import/1/check", data={"kind": "products", "decimal": "point"})
    assert "1.234,50 → ? · 2,25 → ?" in bob.get("/import/1").text
    send(bob, "sku;price;stock\nA-7;1.50;3\n", kind="products")
    plain = bob.get("/import/2").text
    assert " → " not in plain
    assert plain.count('name="decimal"') == 1
    send(bob, "sku;price\nA-7;1.500\n", kind="products")  # a price of three decimals is taken as it stands, and shown
    assert "1.500 → 1.500" in bob.get("/import/3").text


def test_an_encoding_that_cannot_be_told_is_chosen_by_how_the_text_would_read(browse, shop):
    bob = browse("bob")
    send(bob, "SKU,title\nIT-1,Città\n".encode("mac-roman"), kind="products")
    page = bob.get("/import/1").text
    assert "The encoding of this file cannot be told" in page
    assert '<option value="mac-roman">MAC-ROMAN: Città</option>' in page
    assert 'value="utf-8"' not in page  # which it cannot be
    bob.post("/import/1/check", data={"kind": "products", "encoding": "mac-roman"})
    page = bob.get("/import/1").text
    assert "Città" in page
    assert "Import 1 row" in page


def test_many_columns_that_are_left_out_stand_folded_unless_one_is_missing(browse, shop):
    bob = browse("bob")
    more = ",".join(f"X{n}" for n in range(9))
    send(bob, f"sku,title,{more}\nA-7,Mug,{more}\n", kind="products")
    page = bob.get("/import/1").text
    assert "9 columns are left out" in page
    assert page.count('name="field"') == page.count('name="header"') == 11
    bob.post("/import/1/check", data={"kind": "products", "header": ["X3", "X5"], "field": ["brand", ""]})
    assert "columns are left out" not in bob.get("/import/1").text
    send(bob, f"Kode,Nombre raro,{more}\nA-7,Mug,{more}\n", kind="products")
    assert "columns are left out" not in bob.get("/import/2").text


def test_a_column_that_only_tells_what_a_row_is_counts_as_recognised_alone(browse, shop):
    bob = browse("bob")
    head = "Type,SKU,Name,Published,Regular price,Stock,Parent,Attribute 1 name,Attribute 1 value(s)"
    send(bob, f"{head}\nvariation,T-S,Tee S,1,9.90,3,T,Size,S\nvariable,T,Tee,1,,,,Size,S\n", kind="products")
    page = bob.get("/import/1").text
    assert "Read along" in page
    assert "8 of 9 recognised, 1 ignored" in page
