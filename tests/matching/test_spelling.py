"""Words that begin alike and words written in pieces, seen in the bytes of two texts."""

from zlib import crc32

import numpy as np
import pytest

from matching import Index, Record
from matching.document import document
from matching.pairs import COLUMN
from matching.spelling import WHOLE, WORDS, words_of

ALIKE, JOINED = COLUMN["words_alike"], COLUMN["words_joined"]


def spelt(product: str, listing: str, **more: str) -> tuple[float, float]:
    found = Index.build([Record(1, title=product, **more)]).find(document(Record("l", title=listing, **more)))
    return found.features[0, ALIKE], found.features[0, JOINED]


@pytest.mark.parametrize(
    ("product", "listing", "alike", "joined"),
    [
        ("acme printshop deluxe", "acme print shop deluxe", 1 / 4, 1),
        ("acme print shop deluxe", "acme printshop deluxe", 1 / 3, 1),
        ("german immersion course", "german immers course", 1 / 3, 1),
        ("memoria 8 gb", "memorie 8 gb", 1.0, 0),
        ("red kettle", "red kettle", 0.0, 0),
        ("red kettle box", "blue mug box", 0.0, 0),
        ("over lamp", "overnight lamp", 0.0, 0),  # less than half of the longer word
        ("чайники синие", "чайник синий", 1.0, 1),
        ("kettle 20000", "kettle 30000", 0.0, 0),  # numbers are no words
    ],
)
def test_words_that_only_one_side_has_are_compared_by_their_letters(product, listing, alike, joined):
    assert spelt(product, listing) == (pytest.approx(alike), joined)


def test_a_letter_of_two_bytes_counts_once_it_is_whole():
    # п and р, с and т share their first byte; only two letters are the same.
    assert spelt("домпра лампа", "домсто лампа")[0] == pytest.approx(1 / 2)
    assert spelt("допра лампа", "досто лампа")[0] == 0


def test_words_carry_the_hash_that_the_index_knows_them_by():
    text = np.frombuffer("acme x2 чайник of mug".encode(), np.uint8)
    out = np.empty((5, WORDS), np.int64)
    n = words_of(text, 0, len(text), out)
    assert out[2, :n].tolist() == [crc32(w.encode()) for w in ("acme", "чайник", "mug")]
    assert out[4, :n].tolist() == [4, 6, 3]


def test_endless_titles_are_read_to_a_limit():
    long = " ".join(f"wort{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(WHOLE))
    alike, joined = spelt(long, long[::-1])
    assert 0 <= alike <= 1
    assert 0 <= joined <= 3


def test_products_changed_since_the_build_are_spelt_too():
    index = Index.build([Record(n, title=f"acme mug {n}") for n in range(1, 5)])
    index.update([Record(9, title="acme printshop")])
    found = index.find(document(Record("l", title="acme print shop")))
    joined = {index.record(place).id: line[JOINED] for place, line in zip(found.places, found.features, strict=True)}
    assert joined[9] == 1
    assert not any(value for record_id, value in joined.items() if record_id != 9)
