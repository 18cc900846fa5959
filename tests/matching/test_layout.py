"""What the index keeps of records: laid out, joined, reordered, read again; and what retrieval makes of it."""

import io
import math
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Index, Record, suggest
from matching.blocking import FIELD_WEIGHT
from matching.crew import receive, send
from matching.document import document
from matching.facts import counts
from matching.identifiers import loose_key
from matching.kernels import LENGTHS, PREFIX, best_rows, word_in, word_table
from matching.layout import SEPARATOR, id_hash, join, lay_out, ordered, pack_record, take, unpack, unpack_record
from matching.normalize import fold, words
from matching.pairs import COLUMN
from matching.reading import REMEMBERED, _known, hashed, piece_hashes, read
from matching.segment import levels

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
TITLES = st.lists(
    st.sampled_from("blue mug 350 ml DVP-FX820/P 6er Pack 2 x 500 чайник 1,5 л 茶碗蒸し twin XL".split()), max_size=8
)


@settings(deadline=None)
@given(TEXT, TEXT, st.integers() | TEXT, st.none() | st.decimals(0, 10**9, places=2, allow_nan=False))
def test_a_record_is_read_again_as_it_was(title, sku, record_id, price):
    record = Record(record_id, title=title, sku=sku, price=price, options={"Size": title} if title else {})
    again = unpack_record(unpack(pack_record(record, document(record))))
    if SEPARATOR not in title + sku + str(record_id):
        assert again == record
    else:
        assert again.price == price


@pytest.mark.parametrize("title", ["a\x1eb", "\ud800", "😀 mug", "x" * 100_000])
def test_any_text_can_be_kept(title):
    index = Index.build([Record(1, title=title, sku=title)])
    assert index.get(1).title == title.replace(SEPARATOR, " ")


def test_ids_of_both_kinds_and_of_any_size_are_told_apart():
    ids = [7, "7", -7, 2**70, "x" * 100, 0, ""]
    assert len(set(map(id_hash, ids))) == len(ids)
    index = Index.build([Record(i, title=f"mug {n}") for n, i in enumerate(ids)])
    assert [index.get(i).id for i in ids] == ids


@settings(deadline=None)
@given(st.lists(st.tuples(TITLES, TITLES), min_size=1, max_size=6), st.randoms())
def test_joining_and_taking_is_laying_out(titles, chance):
    records = [
        Record(n, title=" ".join(t), description=" ".join(d), aliases=[" ".join(d)] if d else [], sku=f"S{n}")
        for n, (t, d) in enumerate(titles)
    ]
    order = list(range(len(records)))
    chance.shuffle(order)
    whole = ordered(lay_out([records[i] for i in order]))
    cut = len(records) // 2
    parts = ordered(join([lay_out(records[:cut]), lay_out(records[cut:])]))
    taken = take(parts, np.array(order))
    assert all(np.array_equal(whole[name], taken[name]) for name in whole)


@settings(deadline=None)
@given(TITLES.map(" ".join))
def test_reading_by_remembered_tokens_is_reading_by_rules(title):
    found, quantities, plain = words(fold(title))
    reading = read(fold(title))
    kinds: dict[int, int] = {}
    for word in found:
        kinds.setdefault(hashed(word.text), word.kind)
    assert reading.words == kinds
    assert reading.plain == plain
    assert reading.quantities == [*quantities, *counts(plain)]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("matching.reading.REMEMBERED", 50)
    before = dict(_known)
    try:
        for n in range(200):
            read(f"word{n}")
        assert len(_known) <= max(50, len(before))
    finally:
        assert REMEMBERED > 50


def test_a_description_gives_its_first_words():
    assert piece_hashes(["a", "2", "kg", "b", "c"], 3) == {hashed("a"), hashed("2000g"), hashed("b")}


def test_pipes_carry_values_and_end():
    pipe = io.BytesIO()
    send(pipe, [1, "two"])
    pipe.seek(0)
    assert receive(pipe) == [1, "two"]
    with pytest.raises(EOFError):
        receive(pipe)


def _blocks(record):
    """Letter triples, title words and words of every field of a record, in plain Python."""
    doc = document(record)
    letters = {spaced[i : i + 3] for w in doc.text.split() for spaced in [f" {w} "] for i in range(len(spaced) - 2)}
    title = {h for h, kind in doc.words.items() if kind < PREFIX}
    return letters, title, title | set(doc.described)


def test_cosines_are_those_of_plain_python():
    records = [
        Record(1, title="Acme blue stoneware mug 350 ml", description="dishwasher safe mug"),
        Record(2, title="Acme red stoneware mug 350 ml"),
        Record(3, title="Чайник электрический 1,5 л", description="нержавеющая сталь"),
        Record(4, title="Garden hose 20 m with brass fittings"),
        Record(5, title="茶碗蒸し 緑茶 😀😀 mug"),
    ]
    listing = Record("l", title="blue mug acme 350ml чайник 緑茶 😀😀", description="dishwasher safe сталь")
    found = Index.build(records).find(document(listing))
    blocks = [_blocks(r) for r in records]
    asked = _blocks(listing)
    for place, features in zip(found.owners.tolist(), found.features, strict=True):
        for block, name in enumerate(("cosine_letters", "cosine_words", "cosine_all")):
            df = Counter(f for b in blocks for f in b[block])
            idf = {f: math.log((1 + len(records)) / (1 + df[f])) + 1 for f in asked[block] | blocks[place][block]}
            dot = sum(idf[f] ** 2 for f in asked[block] & blocks[place][block])
            lengths = [math.sqrt(sum(idf[f] ** 2 for f in side)) or 1 for side in (asked[block], blocks[place][block])]
            assert features[COLUMN[name]] == pytest.approx(dot / math.prod(lengths), abs=1e-4)
        weighed = features[COLUMN["cosine_letters"]] + features[COLUMN["cosine_words"]]
        assert features[COLUMN["retrieval"]] == pytest.approx(weighed + FIELD_WEIGHT * features[COLUMN["cosine_all"]])


def test_long_skus_that_begin_alike_are_told_apart():
    key = "LONG-SKU-" * 5
    index = Index.build([Record(1, sku=key + "A", title="mug"), Record(2, sku=key + "B", title="mug")])
    best = suggest(Record("l", sku=key + "b", title="mug"), index)[0]
    assert (best.product_id, loose_key(key + "A") != loose_key(key + "B")) == (2, True)


def test_prices_keep_their_digits():
    index = Index.build([Record(1, title="mug", price=Decimal("12345678901.1234"))])
    assert index.get(1).price == Decimal("12345678901.1234")


@settings(deadline=None)
@given(st.lists(st.integers(1, 65_535) | st.integers(9_000, 9_070), max_size=60), st.integers(1, 20))
def test_the_best_rows_are_those_of_sorting(totals, wanted):
    rows = np.arange(len(totals), dtype=np.int32)[::-1].copy()
    work = np.array(totals, np.uint16)
    assert best_rows(rows, work, wanted).tolist() == sorted(range(len(totals)), key=lambda r: (-totals[r], r))[:wanted]
    assert not work.any()  # ready for the next listing


@settings(deadline=None)
@given(st.sets(st.integers(0, 2**32 - 1) | st.integers(0, 40).map(lambda n: n << 26), max_size=60), st.integers(0, 9))
def test_a_word_is_found_in_a_table_where_it_stands(words, other):
    known = sorted(words)
    table = word_table(np.array(known, np.uint32))
    assert [word_in(np.uint32(word), table) for word in known] == list(range(len(known)))
    assert (word_in(np.uint32(other), table) >= 0) == (other in words)


@settings(deadline=None, max_examples=25)
@given(st.lists(TITLES.map(" ".join), min_size=1, max_size=30), TITLES.map(" ".join))
def test_rows_that_are_not_compared_would_not_have_survived(titles, asked):
    index = Index.build(Record(n, title=t) for n, t in enumerate(titles))
    few, all_ = (index.find(document(Record("", title=asked)), limit) for limit in (2, 30))
    retrieval = COLUMN["retrieval"]
    assert few.features[:, retrieval].tolist() == all_.features[:2, retrieval].tolist()


@settings(deadline=None, max_examples=25)
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_products_are_told_together_as_one_by_one(titles):
    records = [Record(n, sku=t, title=t, brand="Böhm", aliases=[t[::-1]]) for n, t in enumerate(titles)]
    segment = Index.build(records).view.segments[0]
    places = list(range(len(titles)))[::-1]
    for place, told in zip(places, segment.told(places), strict=True):
        doc = document(segment.record(place))
        assert told == [*segment.parts(place), doc.text[: doc.title_end]]


def test_a_level_is_within_a_hundredth_of_the_length_it_stands_for():
    inverse = np.geomspace(1, 1 / 512, 999).reshape(-1, 3)
    ratio = LENGTHS[levels(inverse)[:, :3]] / inverse
    assert abs(ratio - 1).max() < 0.0125
    assert levels(np.array([[1e-9, 1.0, 0.5]])).tolist()[0][:2] == [255, 0]


def test_totals_hold_the_longest_text_that_is_read():
    """Every feature of a row in common, as many as are read: the sum is at its greatest and still below 65,536."""
    many = [f"w{n}ord" for n in range(400)]
    long = Record("long", title=" ".join(many[:60]), description=" ".join(many))
    others = [Record(n, title=" ".join(many[n : n + 3]), description=many[n]) for n in range(300)]
    found = Index.build([long, *others]).find(document(long))
    assert found.view.record(found.places[0]).id == "long"
    assert found.features[0, COLUMN["retrieval"]] == pytest.approx(2.5, abs=0.01)


def test_survivors_of_several_parts_stand_in_one_order():
    """The newest of a product is there once, between those of the other parts and where its likeness puts it."""
    index = Index.build([Record(n, title=f"acme mug {n % 7} blue {n % 11}") for n in range(60)])
    index.update([Record(n, title=f"acme mug {n % 5} green {n}") for n in range(0, 60, 3)])
    index.update([Record(90, title="acme mug 2 green 12")])
    found = index.find(document(Record("l", title="acme mug 2 green 12")), 30)
    likeness = found.features[:, COLUMN["retrieval"]]
    assert len(found) == 30
    assert (np.diff(likeness) <= 1e-5).all()
    assert len({index.record(p).id for p in found.places}) == 30
    assert {number for number, _ in found.places} == {0, 1, 2}
    assert {found.view.record(p).id for p in found.places[:2]} == {12, 90}
