"""Measures matching: recall on labelled sets, and speed against named baselines in the same run.

    python -m bench.matching SET_DIR... [--leave-one-out] [--sizes 10000 100000] [--baseline 20]

Quality: recall at 1, 5 and 10 over the listings that have a product, with the shipped weights, and with
--leave-one-out also with weights learned from the other sets only (bench/train_matching.py).

Speed: a catalogue of the asked size is made from the titles of all the sets: first each distinct title, then
siblings of random titles (seed 7) with one to three changes drawn from: a digit of a word with digits changed, a
colour word put in, a word dropped, two words exchanged, a letter dropped. 300 listing titles are asked for, one at a
time, as the screen does: retrieval, scores, evidence of the ten best. The baseline is
rapidfuzz.process.extract(WRatio, limit=10) over the same titles for the first --baseline of them.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rapidfuzz import fuzz, process

from bench.labelled import LabelledSet, read_set
from bench.train_matching import Lines, train, views
from matching import Index, Record, suggest, suggest_many
from matching.ranking import Ranking

COLOURS = "black white red blue green grey silver pink".split()


def recalls(data: LabelledSet, ranking: Ranking | None = None) -> dict[str, float]:
    """Recall at 1, 5 and 10, and milliseconds for each listing."""
    index = Index.build(data.products)
    start = time.perf_counter()
    found = suggest_many(data.listings, index, ranking=ranking)
    seconds = time.perf_counter() - start
    hits = dict.fromkeys((1, 5, 10), 0)
    for record, candidates in zip(data.listings, found, strict=True):
        for k in hits:
            hits[k] += any(c.product_id in data.truth.get(record.id, ()) for c in candidates[:k])
    return {f"R@{k}": round(100 * n / len(data.truth), 1) for k, n in hits.items()} | {
        "ms": round(1000 * seconds / len(data.listings), 2)
    }


def quality(sets: Sequence[LabelledSet], *, leave_one_out: bool) -> None:
    """Print recall for each set, plain and with weights that never saw it."""
    for data in sets:
        print(f"{data.name}: shipped weights {recalls(data)}", flush=True)
    if not leave_one_out or len(sets) < 2:
        return
    lines: list[Lines] = [x for data in sets for x in views(data)]
    for data in sets:
        ranking = train([x for x in lines if x.family != data.name])
        print(f"{data.name}: leave one out {recalls(data, ranking)}", flush=True)


def sibling(title: str, chance: random.Random) -> str:
    """A title with one to three small changes, as another variant of the product would have."""
    words = title.split() or [title]
    for _ in range(chance.randint(1, 3)):
        kind, at = chance.randrange(5), chance.randrange(len(words))
        if kind == 0:
            words = [_other_digit(w, chance) for w in words]
        elif kind == 1:
            words.insert(at, chance.choice(COLOURS))
        elif kind == 2 and len(words) > 2:
            del words[at]
        elif kind == 3:
            other = chance.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        elif len(words[at]) > 3:
            cut = chance.randrange(len(words[at]))
            words[at] = words[at][:cut] + words[at][cut + 1 :]
    return " ".join(words)


def _other_digit(word: str, chance: random.Random) -> str:
    places = [i for i, c in enumerate(word) if c.isdigit()]
    if not places or chance.random() < 0.5:
        return word
    at = chance.choice(places)
    return word[:at] + chance.choice("0123456789") + word[at + 1 :]


def catalogue(titles: Iterable[str], size: int) -> list[Record]:
    """A catalogue of `size` products, made as the module's first lines say."""
    chance = random.Random(7)
    real = list(dict.fromkeys(t for t in titles if t.strip()))
    chance.shuffle(real)
    made = real[:size] + [sibling(chance.choice(real), chance) for _ in range(size - len(real))]
    return [Record(number, sku=f"P{number:07}", title=title) for number, title in enumerate(made)]


def speed(sets: Sequence[LabelledSet], size: int, baseline: int) -> None:
    """Print build time, milliseconds for each listing and how many times faster than the baseline that is."""
    products = catalogue((r.title for data in sets for r in (*data.products, *data.listings)), size)
    chance = random.Random(11)
    asked = [r.title for r in chance.sample([r for data in sets for r in data.listings], 300)]
    start = time.perf_counter()
    index = Index.build(products)
    build = time.perf_counter() - start
    for title in asked[:20]:
        suggest(Record("", title=title), index)
    took = []
    for title in asked:
        start = time.perf_counter()
        suggest(Record("", title=title), index)
        took.append(1000 * (time.perf_counter() - start))
    titles = [p.title for p in products]
    start = time.perf_counter()
    for title in asked[:baseline]:
        process.extract(title, titles, scorer=fuzz.WRatio, limit=10)
    slow = 1000 * (time.perf_counter() - start) / max(1, baseline)
    mean = statistics.fmean(took)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    arrays = sum(a.nbytes for s in index.view.segments for a in s.arrays.values()) // 1_000_000
    print(
        f"{size:>9,} products: build {build:.1f} s, arrays {arrays} MB, peak {memory} MB; "
        f"one listing {mean:.2f} ms mean, "
        f"{statistics.median(took):.2f} median, {sorted(took)[-4]:.2f} p99; "
        f"WRatio {slow:.0f} ms = {slow / mean:,.0f} times",
        flush=True,
    )


def main() -> None:
    """Read the arguments and print figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="+", type=Path)
    arguments.add_argument("--leave-one-out", action="store_true")
    arguments.add_argument("--sizes", nargs="*", type=int, default=[])
    arguments.add_argument("--baseline", type=int, default=5)
    chosen = arguments.parse_args()
    sets = [read_set(folder) for folder in chosen.sets]
    quality(sets, leave_one_out=chosen.leave_one_out)
    for size in chosen.sizes:
        speed(sets, size, chosen.baseline)


if __name__ == "__main__":
    main()
