"""Pairbook at the size of a large seller, against the plainest code that touches the same bytes.

Every step runs in a process of its own and tells its wall time, its processor time (children included) and its
peak memory. The machine is never quiet, so what counts is the ratio of two steps of one run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import scale_imports  # noqa: E402 - the paths above make these importable
import scale_pages  # noqa: E402
import scale_people  # noqa: E402
import scale_steps  # noqa: E402
from make_data import Size  # noqa: E402
from make_data import write as write_files  # noqa: E402

STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    **scale_steps.STEPS, **scale_imports.STEPS, **scale_people.STEPS, **scale_pages.STEPS
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of the table: a step, the baseline it is measured against, and the ratio it is allowed."""

    what: str
    step: str
    baseline: str = ""
    allowed: float | None = None
    memory: int | None = None  # MB
    lock: int | None = None  # ms


LINES = (
    Line("import products", "import_products", memory=300, lock=100),
    Line("import listings", "import_listings", "load_listings", 6.0, 300, 100),
    Line("… its report", "import_listings/report", "read_csv", 8.0),
    Line("… applied", "import_listings", "read_csv", 25.0),
    Line("the same file again", "import_again", "import_listings", 0.5, 300, 100),
    Line("decide during one, p95", "decide", "decide/decide_idle", 2.0),
    Line("reconcile", "reconcile", "join_by_sku", 4.0),
    Line("reconcile, by our keys", "reconcile", "join"),
    Line("reconcile again", "reconcile_again", "join"),
    Line("check new pairs", "check"),
    Line("index of the catalogue", "index"),
    Line("suggest, decide, send", "people"),
)
ORDER = (
    "read_csv", "load_listings", "prepare", "import_products", "import_listings", "import_again",
    "join", "join_by_sku", "reconcile", "reconcile_again", "decide", "check", "index", "people",
)  # fmt: skip


def main() -> int:
    """Run the steps and print the table; exit code 1 when a figure is beyond what is allowed."""
    given = arguments()
    if given.step:
        step = partial(STEPS[given.step], **({"visits": given.visits} if given.step == "pages" else {}))
        print(json.dumps(scale_steps.measured(step, given.instance, Size(given.listings, given.products))))
        return 0
    folder = given.instance or Path(tempfile.mkdtemp(prefix="pairbook-scale-"))
    try:
        return run(folder, Size(given.listings, given.products), given)
    finally:
        if given.instance is None:
            shutil.rmtree(folder, ignore_errors=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=50_000)
    parser.add_argument("--products", type=int, default=25_000)
    parser.add_argument("--instance", type=Path, help="Keep the instance in this folder, empty or absent before.")
    parser.add_argument("--pages-only", action="store_true", help="Measure the pages of an instance made before.")
    parser.add_argument("--visits", type=int, default=40, help="How often each page is fetched.")
    parser.add_argument("--json", type=Path, help="Write all figures to this file.")
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    return parser.parse_args()


def run(folder: Path, size: Size, given: argparse.Namespace) -> int:
    """All steps in order; gives the exit code."""
    figures: dict[str, dict[str, Any]] = {}
    print(f"{size.listings:,} listings on {size.channels} channels × {size.products:,} products, SQLite, FULL\n")
    good = True
    if not given.pages_only:
        write_files(folder / "files", size)
        for name in ORDER:
            figures[name] = _child(name, folder, size, given.visits)
            figures |= {f"{name}/{part}": found for part, found in figures[name].get("parts", {}).items()}
        good = _table(figures)
    figures["pages"] = _child("pages", folder, size, given.visits)
    good = scale_pages.table(figures["pages"]) and good
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0 if good else 1


def _child(step: str, folder: Path, size: Size, visits: int) -> dict[str, Any]:
    command = [
        sys.executable, __file__, "--step", step, "--instance", str(folder), "--visits", str(visits),
        "--listings", str(size.listings), "--products", str(size.products),
    ]  # fmt: skip
    print(f"… {step}", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {answer['seconds']:.2f} s, cpu {answer['cpu']:.1f} s", file=sys.stderr)  # the table is far away
    return answer


def _table(figures: dict[str, dict[str, Any]]) -> bool:
    """Print seconds, baseline and ratio of every line; gives whether all hold."""
    head = ("what", "s", "cpu s", "base s", "base cpu", "ratio", "allowed", "peak MB", "lock ms", "")
    print("{:<22}{:>8}{:>8}{:>8}{:>9}{:>7}{:>9}{:>9}{:>9}  {}".format(*head))
    good = True
    for line in LINES:
        mine, base = figures[line.step], figures.get(line.baseline, {})
        ratio = mine["seconds"] / base["seconds"] if base else 0.0
        peak, lock = mine.get("peak_mb", 0), mine.get("longest_ms", 0)
        broken = any(most and found > most for found, most in (
            (ratio, line.allowed), (peak, line.memory), (lock, line.lock)
        ))  # fmt: skip
        good = good and not broken
        print(
            f"{line.what:<22}{mine['seconds']:>8.2f}{mine.get('cpu', 0):>8.1f}{base.get('seconds', 0):>8.2f}"
            f"{base.get('cpu', 0):>9.1f}{ratio:>7.2f}{line.allowed or '':>9}{peak:>9.0f}{lock:>9.0f}"
            f"  {'TOO MUCH' if broken else ''}{mine.get('note', '')}"
        )
    print()
    return good


if __name__ == "__main__":
    raise SystemExit(main())
