"""Corners of the compiled loops that the catalogues of the other tests do not reach."""

import numpy as np
import pytest

from matching import Index, Record, search, segment, suggest
from matching.document import document
from matching.facts import colour_mask
from matching.kernels import PREFIX
from matching.lexicon import COLOUR_NAMES
from matching.pairs import COLUMN
from matching.points import whole
from matching.ranking import Linear
from matching.survivors import _insert


def columns(product, listing):
    """The features of a pair, by name."""
    found = Index.build([Record(1, **product), Record(2, title="oak desk")]).find(document(Record("l", **listing)))
    line = found.places.index((0, 0))
    return {name: found.features[line, place] for name, place in COLUMN.items()}


def test_letters_beyond_the_first_plane_are_letters():
    index = Index.build([Record(1, title="𐐨𐐩𐐪𐐫 mug"), Record(2, title="𐐬𐐭𐐮𐐯 mug")])
    assert suggest(Record("l", title="𐐬𐐭𐐮𐐯"), index)[0].product_id == 2


def test_a_list_keeps_the_rows_in_which_its_feature_weighs_most(monkeypatch):
    monkeypatch.setattr(segment, "LIST_CAP", 3)
    index = Index.build([Record(n, title="mug " + "long " * n) for n in range(9)])
    assert index.view.segments[0].arrays["title_rows"].tolist()[:3] != []
    assert max(np.diff(index.view.segments[0].arrays["title_at"])) == 3
    assert suggest(Record("l", title="mug"), index)[0].product_id == 0


def test_a_search_that_has_enough_reads_no_words():
    index = Index.build([Record(1, sku="AB-1", title="mug"), Record(2, sku="AB-2", title="AB-1 lamp")])
    assert search("AB-1", index, limit=1) == [1]


def test_a_code_named_in_a_description_is_no_missing_code():
    named = {"title": "Acme lamp", "description": "Spare part for KX4711"}
    assert columns(named, {"title": "Acme lamp KX4711"})["code_in_description"] > 0
    assert columns({"title": "Acme lamp KX4711"}, named)["code_in_description"] > 0


def test_codes_meet_in_pieces_by_their_beginnings_and_by_their_digits():
    whole_code, pieces = {"title": "Speaker XHA1S"}, {"title": "Speaker XH A1S"}
    assert columns(whole_code, pieces)["code_shared"] > 0
    assert columns(pieces, whole_code)["code_shared"] > 0
    assert columns(pieces, {"title": "loud XH A1S"})["rarest_shared"] > 0
    assert columns({"title": "Lamp KX4711AB"}, {"title": "Lamp KX4711CD"})["code_stem"] > 0
    assert columns({"title": "Lamp KX4711AB"}, {"title": "Lamp KX4711A"})["code_begins"] > 0
    assert columns({"title": "Lamp AB4711C"}, {"title": "Lamp ZZ4711Q"})["code_digits"] > 0


def test_a_count_written_in_pieces_is_no_code_that_both_have():
    apart = columns({"title": "oak mug 12er"}, {"title": "beech mug 12 er"})
    assert [apart[name] for name in ("code_shared", "code_begins", "code_stem", "code_digits")] == [0, 0, 0, 0]
    alone = columns({"title": "oak mug"}, {"title": "beech mug"})
    assert apart["rarest_shared"] == pytest.approx(alone["rarest_shared"]), "only the mug is shared"


def test_a_brand_in_the_title_is_the_brand_whatever_the_field_says():
    assert columns({"title": "lamp", "brand": "Acme"}, {"title": "acme lamp", "brand": "Beta"})["brand"] == 1


def test_words_kept_for_comparing_only_earn_no_cosine():
    assert max(document(Record(1, title="DVPFX820")).words.values()) >= PREFIX
    assert columns({"title": "DVPFX820"}, {"title": "DVPFX82"})["cosine_words"] == 0


def test_a_better_row_of_a_product_takes_the_place_of_its_worse_one():
    out, cosine = np.zeros((2, 3), np.int64), np.zeros((2, 4), np.float32)
    n = 0
    for row, owner, total in ((0, 7, 0.9), (1, 8, 0.5), (2, 8, 1.0), (3, 8, 0.7), (4, 9, 0.1)):
        total = np.float32(total)
        n, _ = _insert(row, 0, owner, total, np.float32(0), np.float32(0), 0.5, total, n, 2, out, cosine)
    assert out[:n].tolist() == [[2, 0, 8], [0, 0, 7]]
    assert cosine[:, 3].tolist() == pytest.approx([1.0, 0.9])


def test_whole_numbers_stop_at_their_limits():
    out = np.zeros(2, np.int64)
    whole(np.array([1.0, 1.0]), 5, np.array([1, 2]), out)
    assert out.tolist() == [1, 2]


def test_a_weighted_sum_and_a_mask():
    assert Linear(np.array([1.0, 2.0]), 0.5)(np.array([[1.0, 1.0]])).tolist() == [3.5]
    assert colour_mask(["mug", "blue"]) == 1 << COLOUR_NAMES.index("blue")


def test_marks_of_several_titles_with_accents():
    index = Index.build([Record(1, title="Café mug blue"), Record(2, title="Café mug red")])
    first, second = suggest(Record("l", title="Café mug navy"), index)
    assert first.evidence[0].marks.ours == ((9, 13),) or first.evidence[0].marks.ours == ((9, 12),)
    assert second.evidence[0].marks.theirs == ((9, 13),)


@pytest.mark.parametrize(
    ("product", "listing", "said"),
    [
        ("Filter 6 pcs", "Filter 6er Pack", {"pack": 1, "pack_one_sided": 0}),
        ("Filter 6er Pack", "Filter 6 pcs", {"pack": 1, "pack_one_sided": 0}),
        ("Filter 6 pcs", "Filter 4er Pack", {"pack": 0, "pack_one_sided": 1}),
        ("Tabs 60 tablets", "Tabs 2 x 30 tablets", {"content_conflict": 0, "quantities_conflict": 0}),
        ("Tabs 2 x 30 tablets", "Tabs 60 tablets", {"content_conflict": 0, "quantities_conflict": 0}),
        ("Tabs 2 x 30 tablets", "Tabs 90 tablets", {"content_conflict": 1, "quantities_conflict": 1}),
        ("Feed 10 kg + 2 kg", "Feed 12 kg", {"content_conflict": 0, "quantities_conflict": 0}),
        ("Feed 10 kg + 2 kg", "Feed 15 kg", {"content_conflict": 1, "quantities_conflict": 1}),
        ("Board 156 cm", "Board 159 cm", {"quantities_agree": 0, "quantities_conflict": 1}),
        ("Board 6 ft", "Board 1,8 m", {"quantities_agree": 1, "quantities_conflict": 0}),
        ("Pens pack of 100", "Pens pack of 101", {"pack": -1}),
        ("Cat food 48 x 85 g", "Cat food 12 x 85 g, 4 pack", {"pack": 0}),
        ("Cat food 12 x 85 g, 4 pack", "Cat food 48 x 85 g", {"pack": 0}),
    ],
)
def test_quantities_of_a_pair_agree_conflict_or_say_nothing(product, listing, said):
    found = columns({"title": product}, {"title": listing})
    assert {name: found[name] for name in said} == said
