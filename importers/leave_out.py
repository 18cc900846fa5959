"""Changing a staged file by what only the caller can judge, such as an unknown SKU or one that lost its zeros."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from importers.blocks import Block
from importers.report import Problem
from importers.staging import copy_changed, copy_without, encode, problems_path


def leave_out(staged: Path, problems: Iterable[Problem]) -> int:
    """Takes the rows of these problems out of a staged file and puts the problems beside it; returns how many rows.

    Both files change by renaming, so that a reader sees the old or the new ones.
    """
    found = list(problems)
    left: list[int] = []
    kept = staged.with_name(staged.name + ".kept.part")
    copy_without(staged, kept, {problem.row for problem in found}, lambda number, _fields: left.append(number))
    beside = problems_path(staged)
    part = beside.with_name(beside.name + ".part")
    with part.open("w", encoding="ascii", newline="\n") as out:
        if beside.exists():
            out.write(beside.read_text(encoding="ascii"))
        for p in found:
            out.write(encode([p.row, p.column, p.code, p.value, p.message]) + "\n")
    os.replace(part, beside)
    os.replace(kept, staged)
    return len(left)


def rewrite(staged: Path, change: Callable[[Block], Block]) -> None:
    """Replaces each block of good rows by what `change` makes of it; readers see the old file or the new one."""
    kept = staged.with_name(staged.name + ".kept.part")
    copy_changed(staged, kept, change)
    os.replace(kept, staged)
