"""Sentences made of a template and values, so that what a channel says can be told in another language too."""

from __future__ import annotations


def phrase(sentence: str, /, **values: object) -> str:
    """The sentence with its `{values}` filled in; the template itself is collected for translation."""
    return sentence.format(**values)
