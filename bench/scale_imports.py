"""The steps of bench/scale.py about people who decide while a file comes in."""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from make_data import LISTING_COLUMNS, Size
from scale_steps import Answer, import_file, instance
from sqlalchemy import select

from webapp.db import unit_of_work
from webapp.models import ImportKind, Listing, ListingState, User
from webapp.models.accounts import Actor
from webapp.services import links

IDLE = 200  # decisions while nothing else happens
PAUSE = 0.02  # seconds between two of them: a machine's impatience, far below a person's


def import_changed(folder: Path, _size: Size) -> Answer:
    """Bring the listings in with other prices: every row is compared, written, and kept for the undo."""
    return import_file(folder, ImportKind.LISTINGS, "changed.csv", created=0)


def decide(folder: Path, size: Size) -> Answer:
    """The time of a decision, skipping a listing, while nothing happens and while `import_changed` runs beside it."""
    _change_prices(folder / "files")
    with instance(folder):
        with unit_of_work(read_only=True) as session:
            by = session.scalars(select(User).order_by(User.id).limit(1)).one().actor
            waiting = list(session.scalars(select(Listing.id).where(Listing.state == ListingState.PENDING).limit(500)))
        turn = count()
        calm = [_decision(waiting, turn, by) for _ in range(IDLE)]
        sizes = ["--listings", str(size.listings), "--products", str(size.products)]
        command = [sys.executable, str(Path(__file__).with_name("scale.py")), "--step", "import_changed"]
        busy: list[float] = []
        with subprocess.Popen([*command, "--instance", str(folder), *sizes], stdout=subprocess.DEVNULL) as importing:
            while importing.poll() is None:
                busy.append(_decision(waiting, turn, by))
        if importing.returncode:
            raise SystemExit("The import beside the decisions has failed.")
    note = "; ".join(f"{name} {_in_words(times)}" for name, times in (("idle", calm), ("while importing", busy)))
    return {"seconds": _late(busy), "note": note, "parts": {"decide_idle": {"seconds": _late(calm)}}}


def _decision(waiting: list[int], turn: count[int], by: Actor) -> float:
    time.sleep(PAUSE)
    begun = time.perf_counter()
    with unit_of_work() as session:
        links.skip(session, waiting[next(turn) % len(waiting)], by=by)
    return time.perf_counter() - begun


def _late(times: list[float]) -> float:
    """The time within which 95 of 100 are."""
    return statistics.quantiles(times, n=20)[-1]


def _in_words(times: list[float]) -> str:
    middle, late, most = statistics.median(times), _late(times), max(times)
    return f"{len(times)} decisions, median {1000 * middle:.0f}, p95 {1000 * late:.0f}, longest {1000 * most:.0f} ms"


def _change_prices(files: Path) -> None:
    """The same listings a cent dearer."""
    price = LISTING_COLUMNS.index("price")
    old, new = files / "listings.csv", files / "changed.csv"
    with old.open(encoding="utf-8", newline="") as given, new.open("w", encoding="utf-8", newline="") as out:
        rows, writer = csv.reader(given), csv.writer(out)
        writer.writerow(next(rows))
        for row in rows:
            row[price] = f"{float(row[price]) + 0.01:.2f}" if row[price] else row[price]
            writer.writerow(row)


STEPS: dict[str, Callable[[Path, Size], Answer]] = {"import_changed": import_changed, "decide": decide}
