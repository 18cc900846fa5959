"""Breaks our sample files in many ways and reads them, until the time is over; what goes wrong is kept as a file.

    .venv/bin/python bench/fuzz_readers.py --minutes 20 --seed 1 --keep /tmp/findings

Each input is checked as an upload is, without the child process around it, so that an exception shows as one. Wrong is
an exception, a check of more than 20 seconds, a report that does not add up or says nothing, a stored value outside of
its bounds, and a file left behind. Where a reader ends the process (calamine may, for .xls), the same input goes
through the child process, and is wrong unless the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from importers import FileRefused, Options, check, write_problem_rows
from importers.checking import check_file
from importers.report import Limits
from importers.staging import discard_staged
from tests.importers.fuzzing import KINDS, SAMPLES, complaint, some_options
from tests.importers.mutations import mutated

#: Lower than in service, so that a mutation that makes a file large costs little time.
LIMITS = Limits(rows=20_000, unpacked_bytes=64 * 1024**2, cpu_seconds=30, wall_seconds=30)
PER_PROCESS, SECONDS, MEMORY = 300, 20, 1500 * 1024**2


class TooSlow(Exception):
    """One check took too long."""


def _alarm(*_: object) -> None:
    raise TooSlow


def check_one(content: bytes, kind: Any, options: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Outcome of one check, and what is wrong with it."""
    for path in folder.iterdir():
        path.unlink()
    upload, staged = folder / "upload", folder / "rows"
    upload.write_bytes(content)
    signal.alarm(SECONDS)
    try:
        report = check_file(upload, kind, staged, Options(**options), LIMITS, "upload.csv")
        return report.outcome, complaint(report, folder)
    except MemoryError:
        return "memory", ""
    except BaseException:
        return "exception", traceback.format_exc()
    finally:
        signal.alarm(0)
        discard_staged(staged)


def check_in_child(content: bytes, kind: Any, options: dict[str, Any], folder: Path) -> str:
    """What is wrong with the report about an input that ended the process."""
    upload, staged = folder / "upload", folder / "rows"
    upload.write_bytes(content)
    report = check(upload, kind=kind, staged=staged, options=Options(**options), limits=LIMITS)
    try:
        if report.outcome == "partial":
            write_problem_rows(upload, kind=kind, staged=staged, out=folder / "bad.csv", options=Options(**options))
    except FileRefused:
        pass
    (folder / "bad.csv").unlink(missing_ok=True)
    return complaint(report, folder)


def batch(seed: int, folder: Path, keep: Path, samples: dict[str, bytes], found: Path) -> None:
    """One process of many checks; the input at hand lies in `current`, in case the process ends with it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where calamine says at length why it ends the process
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _alarm)
    draw, outcomes = random.Random(seed), Counter[str]()
    for place in range(PER_PROCESS):
        name, content = mutated(draw, samples)
        kind, options = draw.choice(KINDS), some_options(draw)
        told = {"seed": seed, "place": place, "sample": name, "kind": kind, "options": options}
        (folder.parent / "current").write_bytes(content)
        (folder.parent / "current.json").write_text(json.dumps(told))
        outcome, wrong = check_one(content, kind, options, folder)
        outcomes[outcome] += 1
        if wrong:
            outcomes["WRONG"] += 1
            save(keep, f"{seed}-{place}", content, told, wrong)
    found.write_text(json.dumps(outcomes))


def save(keep: Path, name: str, content: bytes, told: dict[str, Any], wrong: str) -> None:
    """Keeps an input with what went wrong."""
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{name}.input").write_bytes(content)
    (keep / f"{name}.json").write_text(json.dumps({**told, "wrong": wrong}, indent=1))
    last = wrong.strip().splitlines()[-1]
    print(f"{name} ({told['sample']}, {told['kind']}): {last[:200]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings")
    parser.add_argument("--only", default="", help="samples whose name contains this")
    arguments = parser.parse_args()
    samples = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir()) if arguments.only in path.name}
    outcomes, deaths = Counter[str](), 0
    seed, end = arguments.seed * 1_000_000, time.monotonic() + arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder, found = Path(place) / "work", Path(place) / "outcomes"
        folder.mkdir()
        while time.monotonic() < end:
            seed += 1
            # calamine ends many a process: its files get processes of their own, one in eight.
            some = {name: content for name, content in samples.items() if name.endswith(".xls") == (seed % 8 == 0)}
            found.unlink(missing_ok=True)
            child = os.fork()
            if not child:
                try:
                    batch(seed, folder, arguments.keep, some or samples, found)
                except BaseException:
                    print(traceback.format_exc(), flush=True)
                    os._exit(2)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if os.waitstatus_to_exitcode(status) == 2:
                return 2
            if found.exists():
                outcomes.update(json.loads(found.read_text()))
                continue
            deaths += 1
            content, told = found.with_name("current").read_bytes(), found.with_name("current.json").read_text()
            told = json.loads(told)
            wrong = check_in_child(content, told["kind"], told["options"], folder)
            if wrong:
                outcomes["WRONG"] += 1
                save(arguments.keep, f"{seed}-death", content, told, wrong)
    inputs = sum(outcomes.values()) - outcomes["WRONG"]
    print(f"{inputs:,} inputs: {dict(outcomes)}; processes that died and said so: {deaths}")
    return 1 if outcomes["WRONG"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
