"""Writes importers/letter_pairs.py: which letters stand side by side in which language.

    python bench/letter_pairs.py /usr/share/locale >importers/letter_pairs.py

The text is that of the message catalogues (.mo) of free programs as a Debian system installs them under
/usr/share/locale, without those that list names of all countries and languages. A pair counts once for each word and
more, slowly, for frequent words; what is kept covers 99 of 100 pairs. Of Chinese, Japanese and Korean the 600 most
frequent signs beyond kana are kept.
"""

from __future__ import annotations

import gettext
import itertools
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

ALPHABETS = "es pt fr de it ca nl da nb sv fi is pl cs sk hu sl hr ro lt lv et tr ru uk bg sr mk be el he ar th".split()
SIGNS = {"zh_CN": 600, "zh_TW": 600, "ja": 600, "ko": 600}
COVERED = 0.99
#: Thai runs its words together, so that nearly any two letters meet; what is rare is all the more telling.
COVERED_OF = {"th": 0.998}
_LISTS_OF_NAMES = ("iso_", "xkeyboard", "glib-networking")
#: Letters, and the vowels and tones that stand above and below those of Hebrew, Arabic and Thai.
_WORD = re.compile(r"(?:[^\W\d_ªº]|[\u0591-\u05c7\u064b-\u0652\u0e31-\u0e4e])+")
#: Romanian is written with commas below since Unicode 3; the encodings of one byte have the letters with cedillas.
_CEDILLAS = str.maketrans("ȘșȚț", "ŞşŢţ")
HEAD = '''"""Which letters stand side by side in which language, as `bench/letter_pairs.py` counted them; written by it.

PAIRS: pairs of which one letter lies beyond ASCII, most frequent first, "_" for the edge of a word. ALONE: letters that
are words. SIGNS: the most frequent signs of Chinese, Japanese (without kana) and Korean. The source is in the script.
"""

from __future__ import annotations
'''


def messages(folder: Path, language: str) -> Iterator[str]:
    """The translated messages of a language."""
    places = [folder / language, *folder.glob(f"{language}_*")]
    for path in sorted(path for place in places for path in place.glob("LC_MESSAGES/*.mo")):
        if path.name.startswith(_LISTS_OF_NAMES):
            continue
        try:
            with path.open("rb") as stream:
                found = gettext.GNUTranslations(stream)
        except (OSError, UnicodeError, ValueError):
            continue
        # gettext has no public way to list what a catalogue holds.
        yield from (said for key, said in found._catalog.items() if key and isinstance(said, str))  # type: ignore[attr-defined]


def pairs_of(word: str) -> Iterator[str]:
    """The pairs of a word in which at least one letter is none of ASCII, with "_" for its edges."""
    whole = f"_{word.lower()}_"
    for one, other in itertools.pairwise(whole):
        if one > "\x7f" or other > "\x7f":
            yield one + other


def count(texts: Iterable[str], covered: float) -> tuple[str, str]:
    """The pairs, most frequent first, up to this share of all; and the letters that are words."""
    words = Counter(word for text in texts for word in _WORD.findall(text.translate(_CEDILLAS)) if not word.isascii())
    pairs: dict[str, float] = defaultdict(float)
    for word, times in words.items():
        for pair in pairs_of(word):
            pairs[pair] += 1 + math.log(times)
    kept, have, most = [], 0.0, covered * sum(pairs.values())
    for pair, weight in sorted(pairs.items(), key=lambda item: -item[1]):
        if have > most:
            break
        have += weight
        kept.append(pair)
    total = words.total()
    alone = Counter(word.lower() for word in words.elements() if len(word) == 1)
    return "".join(kept), "".join(sorted(word for word, times in alone.items() if times > total / 1000))


def signs(texts: Iterable[str], most: int) -> str:
    """The most frequent ideographs or syllables."""
    seen = Counter(
        mark for text in texts for mark in text if "\u4e00" <= mark <= "\u9fff" or "\uac00" <= mark <= "\ud7af"
    )
    return "".join(mark for mark, _ in seen.most_common(most))


def written(name: str, values: dict[str, str]) -> str:
    """The assignment of one dictionary, in lines that fit."""
    lines = [f"{name} = {{"]
    for key, value in values.items():
        if len(value) <= 107:
            lines.append(f'    "{key}": "{value}",')
            continue
        pieces = [value[place : place + 100] for place in range(0, len(value), 100)] or [""]
        lines += [f'    "{key}": (', *(f'        "{piece}"' for piece in pieces), "    ),"]
    return "\n".join([*lines, "}"])


def main() -> None:
    folder = Path(sys.argv[1])
    counted = {language: count(messages(folder, language), COVERED_OF.get(language, COVERED)) for language in ALPHABETS}
    parts = [
        HEAD.rstrip(),
        "",
        written("PAIRS", {language: pairs for language, (pairs, _) in counted.items()}),
        written("ALONE", {language: alone for language, (_, alone) in counted.items() if alone}),
        written("SIGNS", {language: signs(messages(folder, language), most) for language, most in SIGNS.items()}),
    ]
    print("\n".join(parts))


if __name__ == "__main__":
    main()
