"""Sentences made of a template and values, so that what an import says can be told in another language too."""

from __future__ import annotations


def phrase(sentence: str, /, **values: object) -> str:
    """The sentence with its `{values}` filled in; the template itself is collected for translation."""
    return sentence.format(**values)


def phrases(one: str, many: str, /, n: int, **values: object) -> str:
    """The sentence for one or for many; `{n}` in it is the number with its thousands marked."""
    return (one if n == 1 else many).format(n=f"{n:,}", **values)
