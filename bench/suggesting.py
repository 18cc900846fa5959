"""Suggestions for everything that waits, by several worker processes, against rapidfuzz on a sample.

    python bench/suggesting.py [SET_DIR...] [--listings 5000] [--products 5000] [--workers 2] [--baseline 6]
                               [--instance FOLDER] [--kill]

The catalogue is made as in bench/matching.py, from the titles of labelled sets (folders as bench/labelled.py reads
them) or else of bench/make_data.py, with the first word as the brand. A listing is a sibling of a product, without a
SKU, at a price up to a tenth lower or higher. Both come in as files, the catalogue is indexed, and then the workers do
what `pairbook worker` does: claim chunks of the listings that wait, and keep suggestions with their evidence. Their
seconds count from the start of the processes to the end of the last one.

The baseline is rapidfuzz.process.extract(WRatio, limit=10) over the same titles for --baseline listings, half of them
before the workers and half after, times the listings, over as many processes: no score explained, nothing written.

With --instance the instance stays in that folder: whatever was killed, the same command goes on where it stopped. With
--kill a worker that holds a chunk is killed with SIGKILL once a third is done, and another takes its place; what it
held is free again when its lease ends, so that the seconds then have that wait in them.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from flask import current_app  # noqa: E402 - the paths above make the program importable
from make_data import Size, channel_name, title_of  # noqa: E402
from rapidfuzz import fuzz, process  # noqa: E402
from scale_steps import import_listings, import_products, instance, prepare  # noqa: E402
from sqlalchemy import func, select  # noqa: E402

from bench.labelled import read_set  # noqa: E402
from bench.matching import catalogue, sibling  # noqa: E402
from webapp import warmup  # noqa: E402
from webapp.db import unit_of_work  # noqa: E402
from webapp.jobs import tasks  # noqa: E402
from webapp.models import Channel, Listing, Product, SuggestClaim, Suggestion  # noqa: E402
from webapp.models.listings import NOT_COMPUTED  # noqa: E402
from webapp.services import suggesting  # noqa: E402

READY = "suggesting.ready"  # the file that says that files came in and the catalogue is indexed
LOOK = 0.5  # seconds between two looks at how far it is, and at chunks that others hold
TELL = 10.0  # seconds between two lines of progress


def main() -> int:
    """Make or find the instance, let the workers work, print the figures; exit code 1 when anything is left over."""
    given = arguments()
    if given.worker:
        work(given.instance)
        return 0
    folder = given.instance or Path(tempfile.mkdtemp(prefix="pairbook-suggesting-"))
    try:
        if not (folder / READY).is_file():
            make(folder, given.sets, Size(given.listings, given.products))
        return measure(folder, given.workers, given.baseline, kill=given.kill)
    finally:
        if given.instance is None:
            shutil.rmtree(folder, ignore_errors=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--listings", type=int, default=5_000)
    parser.add_argument("--products", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--baseline", type=int, default=6)
    parser.add_argument("--instance", type=Path, help="Keep the instance in this folder, or go on with the one there.")
    parser.add_argument("--kill", action="store_true", help="Kill a worker at work once a third is done.")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def make(folder: Path, sets: list[Path], size: Size) -> None:
    """Write the files, bring them in, and index the catalogue; an instance that was not finished begins anew."""
    if (folder / "app.db").exists():
        raise SystemExit(f"{folder} has an instance that was not made to its end. Remove the folder and begin again.")
    _write(folder / "files", sets, size)
    for step in (prepare, import_products, import_listings):
        begun = time.perf_counter()
        step(folder, size)
        print(f"… {step.__name__}: {time.perf_counter() - begun:.1f} s", flush=True)
    begun = time.perf_counter()
    with instance(folder):
        tasks.suggest(current_app.extensions["pairbook_index"], until=0)  # only the index
        print(f"… index of the catalogue: {time.perf_counter() - begun:.1f} s", flush=True)
        warmup.warm(current_app)  # loops that are compiled once on a machine are no part of what is measured
    (folder / READY).touch()


def _write(folder: Path, sets: list[Path], size: Size) -> None:
    """products.csv and listings.csv; the last seven digits of a listing's id are in the SKU of its product."""
    read = [read_set(s) for s in sets]
    titles = [r.title for data in read for r in (*data.products, *data.listings)]
    products = catalogue(titles or (title_of(i) for i in range(size.products)), size.products)
    chance = random.Random(13)
    prices = [chance.randint(500, 50_000) for _ in products]
    folder.mkdir(parents=True)
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("sku", "title", "brand", "price", "currency"))
        for product, cents in zip(products, prices, strict=True):
            out.writerow((product.sku, product.title, _brand(product.title), _money(cents), "USD"))
    with (folder / "listings.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("channel", "listing_id", "title", "brand", "price"))
        for channel, count in enumerate(size.shares):
            for number in chance.sample(range(size.products), count):
                title = sibling(products[number].title, chance)
                price = _money(prices[number] * chance.randint(90, 110) // 100)
                out.writerow((channel_name(channel), f"L{channel}{number:07}", title, _brand(title), price))


def _brand(title: str) -> str:
    return title.split()[0] if title.split() else ""


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def measure(folder: Path, workers: int, baseline: int, *, kill: bool) -> int:
    """Baseline, workers, baseline again; gives the exit code."""
    with instance(folder):
        titles, asked = _titles(baseline)
        slow = list(_extracted(asked[: baseline // 2], titles))
        left = _left()
        begun, before = time.perf_counter(), _processor()
        _run(folder, workers, left, kill=kill)
        seconds, work = time.perf_counter() - begun, _processor() - before
        slow += _extracted(asked[baseline // 2 :], titles)
        over = _left() + _claims()
        done = left - _left()
        against = statistics.fmean(slow) * done / workers if slow else 0.0
        print(
            f"{done:,} listings × {len(titles):,} products, {workers} workers: {seconds:.1f} s ({work:.1f} s of "
            f"processor time), {done / seconds:,.0f} listings a second\n"
            f"WRatio {1000 * statistics.fmean(slow or [0]):,.0f} ms a listing, all of them {against:,.0f} s in "
            f"{workers} processes = {against / seconds:,.0f} times\n{_quality()}"
        )
        if over:
            print(f"LEFT OVER: {over} listings and claims")
    return 1 if over else 0


def _run(folder: Path, workers: int, left: int, *, kill: bool) -> None:
    """Start the workers, tell how far they are until all have ended, and kill one on the way if asked to."""
    command = [sys.executable, __file__, "--worker", "--instance", str(folder)]
    crew = [subprocess.Popen(command) for _ in range(workers)]
    begun = told = time.perf_counter()
    while any(w.poll() is None for w in crew):
        time.sleep(LOOK)
        done, now = left - _left(), time.perf_counter()
        victim = _at_work(crew) if kill and done > left // 3 else None
        if victim is not None:
            victim.kill()
            crew.append(subprocess.Popen(command))
            kill = False
            print(f"… killed worker {victim.pid} after {done:,}; another has taken its place", flush=True)
        if now - told > TELL:
            told = now
            print(f"… {done:,} of {left:,} after {now - begun:.0f} s, {done / (now - begun):,.0f} a second", flush=True)
    failed = [w.pid for w in crew if w.returncode > 0]
    if failed:
        raise SystemExit(f"Workers {failed} have failed; what they said stands above.")


def _at_work(crew: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes] | None:
    """A worker that holds a chunk; None when none does."""
    with unit_of_work(read_only=True) as session:
        holding = {name.rpartition(":")[2] for name in session.scalars(select(SuggestClaim.worker))}
    return next((w for w in crew if str(w.pid) in holding and w.poll() is None), None)


def work(folder: Path) -> None:
    """One worker: chunk by chunk, and again for what another one held, until nothing waits."""
    with instance(folder):
        index = current_app.extensions["pairbook_index"]
        while True:
            tasks.suggest(index)
            with unit_of_work(read_only=True) as session:
                if not suggesting.channels_waiting(session):
                    return
            time.sleep(LOOK)


def _titles(baseline: int) -> tuple[list[str], list[str]]:
    """The titles of the catalogue, and those of some listings."""
    with unit_of_work(read_only=True) as session:
        some = select(Listing.title).order_by(Listing.id).limit(baseline)
        return list(session.scalars(select(Product.title).order_by(Product.id))), list(session.scalars(some))


def _extracted(asked: list[str], titles: list[str]) -> Iterator[float]:
    """Seconds of the baseline for each title."""
    for title in asked:
        begun = time.perf_counter()
        process.extract(title, titles, scorer=fuzz.WRatio, limit=10)
        yield time.perf_counter() - begun


def _left() -> int:
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Listing).where(Listing.place == NOT_COMPUTED)) or 0


def _claims() -> int:
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(SuggestClaim)) or 0


def _quality() -> str:
    """How many listings have suggestions, and how many of the first ones are what the listing was made from."""
    first = (
        select(Listing.external_id, Product.sku)
        .join(Suggestion, Suggestion.listing_id == Listing.id)
        .join(Product, Product.id == Suggestion.product_id)
        .where(Suggestion.rank == 1)
    )
    with unit_of_work(read_only=True) as session:
        pairs = session.execute(first).all()
        everything = session.scalar(select(func.count()).select_from(Listing)) or 0
        kept = session.scalar(select(func.count()).select_from(Suggestion)) or 0
        channels = session.scalar(select(func.count()).select_from(Channel)) or 0
    right = sum(1 for listing, sku in pairs if listing[-7:] in sku)
    return (
        f"{len(pairs):,} of {everything:,} listings on {channels} channels have suggestions, {kept:,} in all; "
        f"the first one is the product it was made from for {right:,}"
    )


def _processor() -> float:
    """Seconds of processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
