"""The index: finding, updating, removing, saving; the order of rows never matters."""

import random
import threading
from copy import copy
from decimal import Decimal

import numpy as np
import pytest

from matching import Index, Record, blocking, crew, look_alikes, search, suggest
from matching.document import document
from matching.pairs import COLUMN

CATALOGUE = [
    Record(
        1,
        sku="MUG-BL-350",
        title="Acme blue stoneware mug 350 ml",
        brand="Acme",
        gtin="4006381333931",
        price=Decimal("9.90"),
    ),
    Record(2, sku="MUG-BL-500", title="Acme blue stoneware mug 500 ml", brand="Acme", price=Decimal("12.90")),
    Record(3, sku="MUG-RD-350", title="Acme red stoneware mug 350 ml", brand="Acme", price=Decimal("9.90")),
    Record("k-1", sku="KTL-15", title="Borealis kettle BK-1500 1.5 l", brand="Borealis", mpn="BK-1500"),
    Record("k-2", sku="KTL-17", title="Borealis kettle BK-1700 1.7 l", brand="Borealis", mpn="BK-1700"),
    Record(7, sku="0042", title="Espresso spoon, pack of 6"),
    Record(8, sku="0043", title="Espresso spoon, pack of 12"),
    Record("7", sku="CABLE", title="Cable USB-C 2 m", aliases=["Ladekabel Typ C geflochten"]),
]


@pytest.fixture(scope="module")
def index():
    return Index.build(CATALOGUE)


def ids(candidates):
    return [c.product_id for c in candidates]


def test_the_right_product_comes_first(index):
    assert ids(suggest(Record("l", title="Blue mug Acme 500ml stoneware"), index))[0] == 2
    assert ids(suggest(Record("l", title="BK1700 kettle"), index))[0] == "k-2"


def test_the_order_of_rows_never_matters(index):
    shuffled = CATALOGUE[:]
    random.Random(3).shuffle(shuffled)
    listing = Record("l", title="stoneware mug", price=Decimal(10))
    assert suggest(listing, Index.build(shuffled)) == suggest(listing, index)


def test_ids_keep_their_type(index):
    assert index.get(7).title == "Espresso spoon, pack of 6"
    assert index.get("7").title == "Cable USB-C 2 m"
    assert index.get("8") is None


def test_one_id_twice_is_refused_with_its_name():
    with pytest.raises(ValueError, match="Product id 5 occurs twice"):
        Index.build([Record(5, title="a"), Record(5, title="b")])


def test_an_alias_finds_its_product_once(index):
    found = ids(suggest(Record("l", title="Ladekabel geflochten"), index))
    assert found[0] == "7"
    assert found.count("7") == 1


def test_a_gtin_and_a_sku_find_a_product_whatever_the_title_says(index):
    assert ids(suggest(Record("l", title="zzz", gtin="4006381333931"), index))[0] == 1
    assert ids(suggest(Record("l", title="zzz", sku="ktl 15"), index))[0] == "k-1"
    assert ids(suggest(Record("l", title="zzz", sku="42"), index))[0] == 7


def test_a_listing_without_text_has_no_suggestions(index):
    assert suggest(Record("l"), index) == []
    assert suggest(Record("l", title="🙂"), index) == []


def test_an_empty_catalogue_suggests_nothing():
    empty = Index.build([])
    assert (len(empty), suggest(Record("l", title="mug"), empty), search("mug", empty)) == (0, [], [])
    empty.update([Record(1, title="blue mug")])
    assert ids(suggest(Record("l", title="blue mug"), empty)) == [1]


def test_a_changed_product_is_found_by_its_new_words_only():
    index = Index.build(CATALOGUE)
    index.update(
        [
            Record(1, sku="NEW-1", title="Garden hose 20 m", description="with brass fittings"),
            Record(99, title="Rubber duck"),
        ]
    )
    assert len(index) == len(CATALOGUE) + 1
    assert ids(suggest(Record("l", title="garden hose"), index))[0] == 1
    assert ids(suggest(Record("l", title="rubber duck"), index))[0] == 99
    assert 1 not in ids(suggest(Record("l", title="Acme blue stoneware mug 350 ml"), index))
    index.update([Record(99, title="Paper boat", aliases=["Origami ship"])])
    index.update([])
    index.update([Record(100, title="Tin soldier")])
    assert ids(suggest(Record("l", title="origami ship"), index))[0] == 99
    assert index.get(1).sku == "NEW-1"
    assert ids(suggest(Record("l", title="hose with brass fittings"), index))[0] == 1


def test_a_removed_product_is_gone():
    index = Index.build(CATALOGUE)
    assert index.remove([2, 2, "nobody"]) == 1
    assert index.get(2) is None
    assert 2 not in ids(suggest(Record("l", title="Acme blue stoneware mug 500 ml"), index))
    assert 2 not in search("MUG-BL", index)
    assert len(index) == len(CATALOGUE) - 1


def test_many_changes_ask_for_a_rebuild(monkeypatch):
    monkeypatch.setattr(blocking, "SMALL", 0)
    index = Index.build(CATALOGUE)
    assert not index.needs_rebuild
    index.remove([3])
    index.update(Record(n, title=f"thing {n}") for n in range(1000, 2001))
    assert index.needs_rebuild
    listing = Record("l", title="Acme stoneware mug 350 ml")
    found = ids(suggest(listing, index))
    index.rebuild()
    assert not index.needs_rebuild
    assert len(index) == len(CATALOGUE) + 1000
    assert ids(suggest(listing, index))[:2] == found[:2] == [1, 2]
    assert ids(suggest(Record("l", title="thing 1500"), index))[0] == 1500


def test_a_small_catalogue_is_rebuilt_in_passing():
    index = Index.build([])
    index.update(Record(n, title=f"thing {n}") for n in range(2_000))
    assert not index.needs_rebuild
    assert len(index.view.segments) == 1


def test_many_small_changes_stay_a_handful_of_parts():
    index = Index.build(CATALOGUE)
    for n in range(1000, 1060):
        index.update([Record(n, title=f"thing number {n}", description="made of tin"), Record(1, title=f"hose {n}")])
    assert len(index.view.segments) < 8
    assert len(index) == len(CATALOGUE) + 60
    assert ids(suggest(Record("l", title="hose 1059"), index))[0] == 1
    assert ids(suggest(Record("l", title="thing number 1007"), index))[0] == 1007


def test_changed_products_are_scored_as_if_built_with_the_others():
    together = Index.build(CATALOGUE)
    index = Index.build(CATALOGUE)
    index.update(CATALOGUE[::2])
    for listing in (Record("l", title="Acme mug blue 350ml", brand="Acme"), Record("l", title="spoon 6 pack")):
        assert ids(suggest(listing, index)) == ids(suggest(listing, together))
        assert [c.score for c in suggest(listing, index)] == [c.score for c in suggest(listing, together)]


def test_a_copy_is_changed_apart():
    index = Index.build(CATALOGUE)
    other = copy(index)
    other.update([Record(1, title="Garden hose")])
    assert index.get(1).title.startswith("Acme")
    assert other.get(1).title == "Garden hose"


def test_a_search_goes_on_with_the_index_it_began_with():
    index = Index.build(CATALOGUE)
    found = index.find(document(Record("l", title="Acme blue mug")))
    index.update([Record(1, title="Garden hose")])
    index.remove([2, 3])
    assert [found.view.record(p).id for p in found.places][:1] == [1]
    assert index.get(2) is None


@pytest.mark.parametrize("mmap", [True, False])
def test_a_saved_index_answers_the_same(tmp_path, mmap):
    index = Index.build(CATALOGUE)
    index.update([Record(1, title="Garden hose 20 m", options={"Length": "20 m"})])
    index.remove([3])
    index.save(tmp_path / "index")
    again = Index.load(tmp_path / "index", mmap=mmap)
    listing = Record("l", title="Acme stoneware mug 350 ml hose")
    assert suggest(listing, again) == suggest(listing, index)
    assert len(again) == len(index)
    again.update([Record(5, title="Tin soldier")])
    assert ids(suggest(Record("l", title="tin soldier"), again))[0] == 5
    assert again.get(1).options == {"Length": "20 m"}


def test_saving_over_an_older_index_leaves_nothing_of_it(tmp_path):
    old = Index.build(CATALOGUE)
    old.update([Record(1, title="Garden hose")])
    old.save(tmp_path)
    Index.build(CATALOGUE[:2]).save(tmp_path)
    assert len(Index.load(tmp_path)) == 2


def test_an_index_of_another_format_is_refused(tmp_path):
    Index.build(CATALOGUE).save(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 0}')
    with pytest.raises(ValueError, match="Build it again"):
        Index.load(tmp_path)


def test_threads_may_share_an_index(index):
    listings = [Record("l", title=r.title) for r in CATALOGUE] * 5
    alone = [suggest(r, index) for r in listings]
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: [suggest(r, index) for r in listings]}))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(results.values()) == [alone] * 3


@pytest.mark.parametrize(
    ("text", "first"),
    [("mug-rd", 3), ("MUGRD350", 3), ("4006381333931", 1), ("kettle 1.7", "k-2"), ("espreso spoon", 7), ("42", 7)],
)
def test_search_takes_beginnings_of_skus_gtins_and_mistyped_words(index, text, first):
    assert search(text, index)[0] == first


def test_search_keeps_to_its_limit(index):
    assert len(search("stoneware mug", index, limit=2)) == 2
    assert search("", index) == []


@pytest.mark.parametrize(
    ("record", "product", "reason"),
    [
        (Record("l", gtin="4006381333931"), 1, "same_gtin"),
        (Record("l", gtin="4006381333932"), 1, "near_gtin"),
        (Record("l", sku="KTL-15"), "k-1", "same_sku"),
        (Record("l", sku="ktl15"), "k-1", "near_sku"),
        (Record("l", title="Borealis kettle BK-1700 1.7 litre"), "k-2", "alike_name"),
    ],
)
def test_look_alikes_say_why(index, record, product, reason):
    best = look_alikes(record, index)[0]
    assert (best.product_id, best.reason) == (product, reason)
    assert best.words


def test_what_is_new_has_no_look_alikes(index):
    assert look_alikes(Record("l", sku="NEW", title="Wooden chess board", gtin="96385074"), index) == []


def test_two_valid_numbers_one_digit_apart_are_two_items():
    index = Index.build([Record(1, gtin="96385074")])
    assert look_alikes(Record("l", gtin="96385074"), index)[0].reason == "same_gtin"
    assert look_alikes(Record("l", gtin="96385081"), index) == []


def test_removed_products_are_no_look_alikes():
    index = Index.build(CATALOGUE)
    index.remove([1])
    assert look_alikes(Record("l", gtin="4006381333931"), index) == []


@pytest.mark.parametrize("chunk", [3, 1])  # by one there are more parts than may wait for the processes
def test_several_processes_read_what_one_reads(monkeypatch, chunk):
    monkeypatch.setattr(crew, "CHUNK", chunk)
    monkeypatch.setattr(crew, "MANY", 4)
    alone, together = Index.build(CATALOGUE, workers=1), Index.build(CATALOGUE, workers=2)
    for name, array in alone.view.segments[0].arrays.items():
        assert np.array_equal(array, together.view.segments[0].arrays[name]), name


def test_a_helper_that_dies_leaves_its_work_to_the_others(monkeypatch):
    monkeypatch.setattr(crew, "CHUNK", 3)
    monkeypatch.setattr(crew, "MANY", 4)
    monkeypatch.setattr(crew.sys, "executable", "/bin/true")
    assert len(Index.build(CATALOGUE, workers=2)) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("right", "sibling", "listing"),
    [
        ("Drill Orlo DF 333 D", "Drill Orlo DF 332 D", "Orlo DF333D cordless drill driver 12V"),
        ("Akkuschrauber Orlo GSR 18 V-55", "Akkuschrauber Orlo GSR 18 V-65", "Orlo GSR18V-55 Akku Schrauber"),
        ("Orlo KX317RS vacuum", "Orlo KX318RS vacuum", "Vacuum cleaner Orlo KX 317 RS bagless"),
    ],
)
def test_a_model_code_in_three_pieces_is_the_code(right: str, sibling: str, listing: str) -> None:
    index = Index.build([Record("sibling", title=sibling), Record("right", title=right)])
    found = index.find(document(Record("L", title=listing)))
    shared = {
        index.record(place).id: line[COLUMN["code_shared"]]
        for place, line in zip(found.places, found.features, strict=True)
    }
    assert shared["right"] > shared["sibling"]
    assert suggest(Record("L", title=listing), index)[0].product_id == "right"
