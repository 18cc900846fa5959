"""What holds for any records: either way round, in any order."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Index, Record, compare, suggest_many

WORDS = st.lists(
    st.sampled_from(
        """Acme Ácme 3M mug taza blue azul bleu red 350 ml 0,35 l 1.5 6 12 x pack of caja set kg 130 180 cm KX-4711
        KX4711B 11 cu.ft. talla M XL 10" 茶 кружка 2-pack (new) - & 4006381333931""".split()
    ),
    max_size=10,
).map(" ".join)
RECORDS = st.builds(
    Record,
    id=st.just(1),
    sku=st.sampled_from(("", "A-1", "a_1", "A-12", "0042")),
    title=WORDS,
    brand=st.sampled_from(("", "Acme", "ACME Inc", "3M", "Zenith", "茶")),
    gtin=st.sampled_from(("", "4006381333931", "04006381333931", "4006381333932", "96385074", "junk")),
    mpn=st.sampled_from(("", "KX-4711", "KX4711B", "900")),
    price=st.sampled_from((None, Decimal("9.90"), Decimal(10), Decimal(30))),
    currency=st.sampled_from(("", "EUR", "usd")),
    options=st.dictionaries(
        st.sampled_from(("Size", "Colour", "Scent")), st.sampled_from(("M", "L", "blue", "azul", "0.5 l"))
    ),
)


@given(RECORDS, RECORDS)
def test_a_pair_is_judged_alike_either_way_round(one: Record, other: Record) -> None:
    here, there = compare(one, other), compare(other, one)
    assert here.score == there.score
    assert [(e.field, e.verdict, e.points, e.of) for e in here.evidence] == [
        (e.field, e.verdict, e.points, e.of) for e in there.evidence
    ]
    assert [(_parts(e.ours), _parts(e.theirs)) for e in here.evidence] == [
        (_parts(e.theirs), _parts(e.ours)) for e in there.evidence
    ]


def _parts(text: str) -> list[str]:
    """What is told of several options or quantities, in whatever order."""
    return sorted(text.split(", "))


@given(RECORDS)
def test_a_record_is_the_same_as_itself(record: Record) -> None:
    same = compare(record, record)
    assert same.difference == ""
    assert {e.verdict.value for e in same.evidence} <= {"same", "missing", "not_used"}
    assert same.score == (100 if any(e.of for e in same.evidence) else 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(RECORDS, min_size=3, max_size=12), st.lists(RECORDS, min_size=20, max_size=24), st.randoms())
def test_neither_the_order_of_products_nor_of_listings_matters(
    products: list[Record], listings: list[Record], chance: random.Random
) -> None:
    catalogue = [replace(r, id=n) for n, r in enumerate(products)]
    asked = [replace(r, id=f"l{n}") for n, r in enumerate(listings)]
    before = dict(zip([r.id for r in asked], suggest_many(asked, Index.build(catalogue)), strict=True))
    chance.shuffle(catalogue)
    chance.shuffle(asked)
    after = dict(zip([r.id for r in asked], suggest_many(asked, Index.build(catalogue)), strict=True))
    assert after == before
