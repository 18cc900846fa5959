"""Measures matching: recall on labelled sets, and speed against named baselines in the same run.

    python -m bench.matching SET_DIR... [--leave-one-out] [--sizes 10000 100000] [--loss 100000] [--baseline 5]
                                        [--no-quality]

Quality: recall at 1, 5 and 10 over the listings that have a product, with the shipped weights, and with
--leave-one-out also with weights learned from the other sets only (bench/train_matching.py).

Speed: a catalogue of the asked size is made from the titles of all the sets: first each distinct title, then
siblings of random titles (seed 7) with one to three changes drawn from: a digit of a word with digits changed, a
colour word put in, a word dropped, two words exchanged, a letter dropped. The index is built with its time measured,
one product is changed and looked for, and the index is saved. Another process maps the saved index and is asked for
300 listing titles, one at a time, as the screen does: retrieval, scores, evidence of the ten best. The baseline is
rapidfuzz.process.extract(WRatio, limit=10) over the same titles for --baseline of them, in turns with the others, so
that both meet the same neighbours on the machine.

Loss: the products of all the sets among strangers, each made of halves of two random titles of the sets (seed 5) and
changed as siblings are. Listings that have a product, at most 150 of each set, are asked for by title and brand, with
the index as it is, and with every list of rows whole and read to its end: the difference is what approximation loses.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rapidfuzz import fuzz, process

from bench.labelled import LabelledSet, read_set
from matching import Index, Record, blocking, segment, suggest, suggest_many
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
    # Loaded here, since the process whose memory is measured needs no part of it.
    from bench.train_matching import train, views

    lines = [x for data in sets for x in views(data)]
    for data in sets:
        # Every set has listings enough to be a crowd.
        ranking = train([x for x in lines if x.family != data.name], alone=False)
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


def strangers(sets: Sequence[LabelledSet], size: int) -> list[Record]:
    """The sets' own products, known by set and id, among products made of halves of two titles, changed as siblings."""
    chance = random.Random(5)
    own = [Record(f"{d.name}:{p.id}", title=p.title, brand=p.brand) for d in sets for p in d.products]
    titles = [r.title for d in sets for r in (*d.products, *d.listings) if r.title.strip()]
    for number in range(size - len(own)):
        words = [w for t in (chance.choice(titles), chance.choice(titles)) for w in _half(t.split(), chance)]
        own.append(Record(number, title=sibling(" ".join(words), chance)))
    return own


def _half(words: list[str], chance: random.Random) -> list[str]:
    return chance.sample(words, (len(words) + 1) // 2)


def loss(sets: Sequence[LabelledSet], size: int) -> None:
    """Print recall with the index as it is, and when every list of rows is kept whole and read to its end."""
    index = Index.build(strangers(sets, size))
    asked = [(d, r) for d in sets for r in _some([r for r in d.listings if r.id in d.truth], 150)]
    found = {"as it is": _hits(asked, index)}
    budget, exact, cap = blocking.BUDGET, blocking.EXACT, segment.LIST_CAP
    blocking.BUDGET, blocking.EXACT, segment.LIST_CAP = 10**9, 2_000, 10**9
    index.rebuild()
    found["everything read"] = _hits(asked, index)
    blocking.BUDGET, blocking.EXACT, segment.LIST_CAP = budget, exact, cap
    for how, hits in found.items():
        shares = ", ".join(f"R@{k} {100 * n / len(asked):.2f}" for k, n in hits.items())
        print(f"{size:>9,} products, {len(asked)} listings, {how}: {shares}", flush=True)


def _some(records: list[Record], most: int) -> list[Record]:
    return random.Random(1).sample(sorted(records, key=lambda r: str(r.id)), min(most, len(records)))


def _hits(asked: Sequence[tuple[LabelledSet, Record]], index: Index) -> dict[int, int]:
    hits = dict.fromkeys((1, 5, 10), 0)
    for data, r in asked:
        right = {f"{data.name}:{p}" for p in data.truth[r.id]}
        found = [c.product_id for c in suggest(Record(r.id, title=r.title, brand=r.brand), index)]
        for k in hits:
            hits[k] += bool(right.intersection(found[:k]))
    return hits


def speed(sets: Sequence[LabelledSet], size: int, baseline: int) -> None:
    """Print build time, milliseconds for each listing and how many times faster than the baseline that is."""
    products = catalogue((r.title for data in sets for r in (*data.products, *data.listings)), size)
    chance = random.Random(11)
    asked = [r.title for r in chance.sample([r for data in sets for r in data.listings], 300)]
    suggest(Record("", title=asked[0]), Index.build(products[:500]))
    gc.collect()
    gc.freeze()  # the catalogue made above stays; walking over it is no part of what is measured
    start, before = time.perf_counter(), _processor()
    index = Index.build(products)
    build, work = time.perf_counter() - start, _processor() - before
    arrays = sum(a.nbytes for s in index.view.segments for a in s.arrays.values()) // 1_000_000
    start = time.perf_counter()
    index.update([Record(size // 2, title="Zyxomma 4711-KX dragonfly lantern")])
    again = suggest(Record("", title="zyxomma lantern 4711kx"), index)[0].product_id == size // 2
    changed = 1000 * (time.perf_counter() - start)
    print(
        f"{size:>9,} products: build {build:.1f} s ({work:.1f} s of processor time), {arrays} MB of arrays; "
        f"a changed product {'found' if again else 'NOT FOUND'} after {changed:.0f} ms",
        flush=True,
    )
    titles = [p.title for p in products]
    took, slow = [], []
    with TemporaryDirectory() as folder:
        index.save(folder)
        del index
        line = [sys.executable, "-m", "bench.matching", "--serve", folder]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as server:
            for number, title in enumerate(asked):
                if number % (len(asked) // baseline) == 0:
                    start = time.perf_counter()
                    process.extract(title, titles, scorer=fuzz.WRatio, limit=10)
                    slow.append(1000 * (time.perf_counter() - start))
                took.append(_ask(server, title))
            resident = _ask(server, "")
    mean, against = statistics.fmean(took), statistics.fmean(slow)
    print(
        f"{'':>9} one listing {mean:.2f} ms mean, {statistics.median(took):.2f} median, {sorted(took)[-4]:.2f} p99, in "
        f"a process of {resident:.0f} MB; WRatio {against:,.0f} ms = {against / mean:,.0f} times",
        flush=True,
    )


def _ask(server: subprocess.Popen[str], title: str) -> float:
    if server.stdin is None or server.stdout is None:
        return 0.0
    server.stdin.write(title + "\n")
    server.stdin.flush()
    return float(server.stdout.readline())


def _processor() -> float:
    """Seconds of processor time of this process and of those it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def serve(folder: Path) -> None:
    """Map an index and answer titles, one on each line, with milliseconds; an empty line with resident megabytes."""
    index = Index.load(folder)
    for n in range(20):
        suggest(Record("", title=f"warm up {n}"), index)
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 50)  # as in the processes that answer pages (webapp/warmup.py)
    for line in sys.stdin:
        title = line.strip()
        start = time.perf_counter()
        if title:
            suggest(Record("", title=title), index)
            print(1000 * (time.perf_counter() - start), flush=True)
        else:
            # Not the peak: that would be the peak of the process that started this one.
            status = dict(x.split(":", 1) for x in Path("/proc/self/status").read_text().splitlines())
            print(int(status["VmRSS"].split()[0]) / 1024, flush=True)


def main() -> None:
    """Read the arguments and print figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="*", type=Path)
    arguments.add_argument("--leave-one-out", action="store_true")
    arguments.add_argument("--sizes", nargs="*", type=int, default=[])
    arguments.add_argument("--loss", nargs="*", type=int, default=[])
    arguments.add_argument("--baseline", type=int, default=5)
    arguments.add_argument("--no-quality", action="store_true")
    arguments.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return
    sets = [read_set(folder) for folder in chosen.sets]
    if not chosen.no_quality:
        quality(sets, leave_one_out=chosen.leave_one_out)
    for size in chosen.loss:
        loss(sets, size)
    for size in chosen.sizes:
        speed(sets, size, chosen.baseline)


if __name__ == "__main__":
    main()
