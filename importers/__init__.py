"""Reads spreadsheets that people export and edit: a file in, typed rows and named problems out."""

from importers.blocks import Block
from importers.encodings import glimpses
from importers.fields import FIELDS, KIND_FIELDS, Field
from importers.leave_out import leave_out, rewrite
from importers.mapping import guess_mapping
from importers.presets import PRESETS
from importers.problem_rows import write_problem_rows
from importers.report import DEFAULT, Column, FileRefused, Kind, Limits, Options, Problem, Report, Sheet
from importers.row_marks import Marks, mark_rows, marks_of, read_unmarked
from importers.sandbox import check, preview
from importers.staging import (
    discard_old_parts,
    discard_staged,
    follow,
    look_up,
    read_blocks,
    read_problems,
    read_staged,
    unchanged,
    values_of,
)

__all__ = [
    "DEFAULT",
    "FIELDS",
    "KIND_FIELDS",
    "PRESETS",
    "Block",
    "Column",
    "Field",
    "FileRefused",
    "Kind",
    "Limits",
    "Marks",
    "Options",
    "Problem",
    "Report",
    "Sheet",
    "check",
    "discard_old_parts",
    "discard_staged",
    "follow",
    "glimpses",
    "guess_mapping",
    "leave_out",
    "look_up",
    "mark_rows",
    "marks_of",
    "preview",
    "read_blocks",
    "read_problems",
    "read_staged",
    "read_unmarked",
    "rewrite",
    "unchanged",
    "values_of",
    "write_problem_rows",
]
