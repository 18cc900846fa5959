"""Words of another script in Latin letters: a brand is "Тефаль" in one title and "Tefal" in the other."""

from __future__ import annotations

import re
from typing import Final

# Russian, Ukrainian, Belarusian, Bulgarian, Serbian, Macedonian, as folding leaves them: "й" has become "и", "ё" "е".
# By sound, near to what brands are: the soft sign is silent, "лю" is "lu", "кс" is "x" in none of them.
_LATIN: Final = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l",
    "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "c",
    "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "u", "я": "ya", "і": "i", "є": "e",
    "ґ": "g", "ј": "j", "љ": "lj", "њ": "nj", "ђ": "dj", "ћ": "c", "џ": "dz",
})  # fmt: skip
#: The byte behind which they stand; folded words have no marks.
LATIN_BEHIND: Final = ord("|")
# Words; shorter ones are mostly prepositions, but for the size of a battery.
_WORD: Final = re.compile(r"(?<!\w)(?:[а-яієґјљњђћџ]{3,}|аа)(?!\w)")


def with_latin(text: str) -> str:
    """Folded text with its Cyrillic words once more behind it, in Latin letters; other text as it is.

    A mark parts them, for what compares words with words (spelling.py) should not meet each twice.
    """
    if text.isascii() or not (found := _WORD.findall(text)):
        return text
    return f"{text} {chr(LATIN_BEHIND)} {' '.join(found).translate(_LATIN)}"


def latin(text: str) -> str:
    """Folded text with Latin letters for Cyrillic ones."""
    return text if text.isascii() else text.translate(_LATIN)
