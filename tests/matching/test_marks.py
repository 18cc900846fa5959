"""Marks of differing words: one text with several others at once, and each pair by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Record, compare
from matching.marks import Spelt, differing_words
from matching.spans import differing_plain

_WORDS = st.sampled_from(["red", "Blue", "AB12C", "AB", "12C", "x1", "500ml", "500", "ml", "O'Neil", "_a_", "\x00", ""])
_TITLES = st.lists(st.tuples(_WORDS, st.sampled_from([" ", "-", "", "/"])), max_size=9).map(
    lambda parts: "".join(word + mark for word, mark in parts)
)


@settings(deadline=None)  # the first call may compile
@given(st.lists(_TITLES, min_size=1, max_size=4), _TITLES)
def test_many_texts_are_marked_as_each_by_itself(ours, theirs):
    assert differing_plain(ours, theirs) == [differing_words(Spelt(text), Spelt(theirs)) for text in ours]


def test_titles_of_any_script_are_marked():
    for ours, theirs in (("Café blau", "cafe rot"), ("cafe blau", "Café rot"), ("cafe blau", "cafe rot")):
        marks = compare(Record(1, title=ours), Record(2, title=theirs)).evidence[0].marks
        assert marks == (((5, 9),), ((5, 8),))
