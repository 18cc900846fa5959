"""The check itself: table, header, mapping, every row, duplicates, report. It runs inside the child process."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from importers.block_rows import BlockReader, ReadRows, batches
from importers.blocks import Block
from importers.cells import Cell, CellError, is_blank
from importers.duplicates import Findings, KeyIndex, looks_of, rows_said, skus_said
from importers.fields import field_of
from importers.header_row import Header, find_header, without_last_delimiter
from importers.late_marks import refuse_two_readings
from importers.letters import broken, with_mended_letters
from importers.mapping import guess_mapping, refuse_missing
from importers.preset import Preset, with_help
from importers.preset_rows import KeptRow
from importers.presets import PRESETS
from importers.readers import open_table
from importers.report import Column, FileRefused, Kind, Limits, Options, Outcome, Problem, Report, shown
from importers.rows import Fields, Reader, RowReader, column_grammar
from importers.samples import SAMPLES, plain_columns, samples_of, telling
from importers.staging import Stage
from importers.tables import Row, Table
from importers.tally import Tally
from importers.wording import phrase

HEAD_ROWS = 200
MOST_LOOK_ALIKES = 100
#: Blank lines do not count as rows, but they take time.
_LINES_PER_ROW = 3


@dataclass
class Opened:
    """A table with its header and mapping, ready for its rows."""

    table: Table
    header: Header
    columns: tuple[Column, ...]
    head: list[Row]
    rest: Iterator[Row]

    @property
    def preset(self) -> Preset | None:
        return self.header.preset


def check_file(path: Path, kind: Kind, staged: Path | None, options: Options, limits: Limits, name: str) -> Report:
    """Checks a file, or only its head when `staged` is None; a refused file is a report too, and leaves no file."""
    report = Report("reject", kind, name)
    try:
        table = open_table(path, name, options, limits)
        report = replace(
            report, sheet=table.sheet, sheets=table.sheets, encoding=table.encoding, delimiter=table.delimiter
        )
        rows = _filled(table.rows(), limits)
        rows = with_mended_letters(rows) if options.mend_letters else rows
        head = list(itertools.islice(rows, HEAD_ROWS))
        report = replace(report, broken=broken(head) if options.mend_letters is None else None)
        header = find_header(head, kind, options, limits)
        head, rows = without_last_delimiter(header, head, rows)
        header, head, rows = _unfolded(header, head, rows, table)
        report = _with_columns(report, header, plain_columns(header, head), None)
        columns = _mapping(header, head, kind, options)
        report = _with_columns(report, header, columns, header.preset)
        is_text = table.type_name == "text"
        refuse_missing(columns, kind, row=header.row or 1, looks_like_data=header.looks_like_data, is_text=is_text)
        opened = Opened(table, header, columns, head[header.place + 1 :], rows)
        if staged is None:
            return replace(report, outcome="accept")
        reader = _row_reader(opened, kind, options, limits)
        report = replace(report, mapping=_with_readings(opened, reader))
        return _check_rows(opened, kind, staged, reader, limits, report)
    except FileRefused as refusal:
        return replace(report, outcome="reject", errors=(_with_sheets(refusal.problem, report),), errors_total=1)


def _unfolded(
    header: Header, head: list[Row], rows: Iterator[Row], table: Table
) -> tuple[Header, list[Row], Iterator[Row]]:
    """Header and rows of a known export that keeps in columns what belongs into rows; all others as they are."""
    if header.preset is None or header.preset.unfold is None:
        return header, head, rows
    plan = header.preset.unfold(header.names)
    unfold = partial(plan.rows, ragged_allowed=table.type_name != "text")
    preset = PRESETS[header.preset.then]
    below = list(unfold(head[header.place + 1 :]))
    return replace(header, names=plan.names, place=-1, width=len(plan.names), preset=preset), below, unfold(rows)


def _with_sheets(problem: Problem, report: Report) -> Problem:
    """The problem, with the other sheets named where the wrong one may have been read."""
    names = [shown(sheet.name) for sheet in report.sheets if not sheet.hidden]
    if problem.code not in ("missing_column", "empty") or len(names) < 2:
        return problem
    said = phrase(
        "The file has {count} sheets: {names}. Choose another one if this is not it.",
        count=len(names), names=", ".join(names),
    )  # fmt: skip
    return replace(problem, message=f"{problem.message} {said}")


def _filled(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    """The rows that hold a cell; a hundred million blank lines are refused before they have cost a minute."""
    last = _LINES_PER_ROW * limits.rows
    for row in rows:
        if row[0] > last:
            said = phrase("The file has more than {count} lines. Delete the blank ones.", count=f"{last:,}")
            raise FileRefused("too_big", said, row=row[0])
        if row[1]:
            yield row


def _with_columns(report: Report, header: Header, columns: tuple[Column, ...], preset: Preset | None) -> Report:
    mapped = {column.header: column.field for column in columns if column.field}
    known = preset.name if preset else None
    return replace(report, mapping=columns, columns=mapped, preset=known, header_row=header.row)


def _mapping(header: Header, head: list[Row], kind: Kind, options: Options) -> tuple[Column, ...]:
    preset = header.preset.fields_for(kind) if header.preset else None
    samples = samples_of(header, head)
    columns = guess_mapping(
        header.names, kind, chosen=options.mapping, preset=preset, samples=samples, row=header.row or 1
    )
    return columns if header.preset is None else tuple(map(partial(with_help, header.preset), columns))


def _kept(opened: Opened) -> Iterator[KeptRow]:
    rows: Iterator[Row] = itertools.chain(opened.head, opened.rest)
    preset = opened.preset
    keep = preset.row_filter(opened.header.names, opened.table.rows_aside) if preset else None
    if keep is None:
        return rows
    width = len(opened.header.names)
    padded = ((number, cells + [""] * (width - len(cells)) if opened.table.type_name != "text" else cells)
              for number, cells in rows)  # fmt: skip
    return keep(padded)


def _row_reader(opened: Opened, kind: Kind, options: Options, limits: Limits) -> RowReader:
    preset = opened.preset
    decimal = options.decimal or (preset.decimal if preset else None)

    def values(index: int) -> list[Any]:
        return [cells[index] for _, cells in opened.head if index < len(cells)]

    return RowReader(
        kind,
        opened.columns,
        limits,
        lambda index: column_grammar(decimal, values(index)),
        width=opened.header.width,
        ragged_allowed=opened.table.type_name != "text",
        currency_in_price=bool(preset and preset.currency_in_price),
        known=options.known,
        first_row=opened.head[0][0] if opened.head else 0,
    )


def _with_readings(opened: Opened, reader: RowReader) -> tuple[Column, ...]:
    """The columns, those of amounts with what their first values are."""
    columns, rows = list(opened.columns), telling(opened.header, opened.head)
    for index, name, read in reader.readers:
        if field_of(name).reads in ("quantity", "price"):
            cells = (cells[index] for cells in rows if index < len(cells) and not is_blank(cells[index]))
            reads = tuple(_reading(read, cell) for cell in itertools.islice(cells, SAMPLES))
            columns[index] = replace(columns[index], reads=reads)
    reader.said.clear()
    return tuple(columns)


def _reading(read: Reader, cell: Cell) -> str:
    try:
        return str(read(cell))
    except CellError:
        return ""


def _check_rows(opened: Opened, kind: Kind, staged: Path, reader: RowReader, limits: Limits, report: Report) -> Report:
    tally, index = Tally(limits), KeyIndex()
    stage = Stage(staged)
    try:
        for code, message in opened.table.doubts:
            tally.warn(opened.header.row, "", code, message)
        if report.broken:
            before, after = report.broken
            said = phrase("Some letters look broken: “{before}” may be “{after}”.", before=before, after=after)
            tally.warn(opened.header.row, "", "broken_letters", said)
        _read_all(opened, kind, reader, stage, tally, index)
        refuse_two_readings(reader, stage, tally, _key_field(kind))
        _settle_duplicates(index.find(), kind, report.columns, stage, tally)
        _warn_about_hidden(opened, tally)
        if tally.rows == 0:
            said = phrase("The file has no rows under the header.")
            raise FileRefused("empty", said, row=max(opened.header.row, 1))
    except BaseException:
        stage.discard()
        raise
    return _finished(report, tally, stage)


def _finished(report: Report, tally: Tally, stage: Stage) -> Report:
    outcome: Outcome = "partial"
    if tally.bad == 0:
        outcome = "accept"
    elif tally.good == 0:
        outcome = "reject"
    stage.finish()
    return replace(
        report,
        outcome=outcome,
        rows=tally.rows,
        rows_ok=tally.good,
        rows_bad=tally.bad,
        rows_skipped=tally.skipped,
        errors=tuple(sorted(tally.errors, key=lambda problem: problem.row)),
        errors_total=tally.errors_total,
        warnings=tuple(tally.warnings),
        warnings_total=sum(tally.warnings_by_code.values()),
    )


def _read_all(opened: Opened, kind: Kind, reader: RowReader, stage: Stage, tally: Tally, index: KeyIndex) -> None:
    blocks = BlockReader(reader)
    for skipped, rows in batches(_kept(opened)):
        read = blocks.read(rows)
        tally.rows += len(skipped) + len(read.block)
        tally.skipped += len(skipped)
        if tally.rows > tally.limits.rows:
            raise _too_many(sorted([*skipped, *read.block.numbers]), tally)
        _take(read, kind, stage, tally, index, by_sku=reader.id_from_sku)
    if reader.id_from_sku and tally.rows:
        header = next((column.header for column in opened.columns if column.field == "sku"), "")
        said = phrase("The file has no listing IDs; the SKU of a row stands for its ID.")
        tally.warn(opened.header.row, header, "id_from_sku", said)


def _too_many(numbers: list[int], tally: Tally) -> FileRefused:
    most = tally.limits.rows
    first = numbers[most - (tally.rows - len(numbers))]
    said = phrase("The file has more than {count} rows. Split it.", count=f"{most:,}")
    return FileRefused("too_big", said, row=first)


def _take(read: ReadRows, kind: Kind, stage: Stage, tally: Tally, index: KeyIndex, *, by_sku: bool) -> None:
    """Counts and keeps what was read."""
    for number, header, note in read.notes:
        tally.note(number, header, note)
    for problems in read.bad.values():
        for problem in problems:
            tally.error(problem)
            stage.problem(problem)
    keys = read.block.column(_key_field(kind))
    for place in read.bad:
        tally.bad_key(read.block.numbers[place], keys[place])
    tally.two_readings.extend(read.two_readings)
    tally.bad += len(read.bad)
    tally.good += len(read.block) - len(read.bad)
    _remember(read, kind, index, by_sku)
    stage.block(read.good())


def _remember(read: ReadRows, kind: Kind, index: KeyIndex, by_sku: bool) -> None:
    """Notes key and content of each row that has a key, the bad ones too; `by_sku`: the SKU stands for the id."""
    block = read.block
    columns = [_comparable(name, values) for name, values in block.columns.items()]
    contents = list(map(hash, zip(*columns, strict=True)))
    if read.bad:
        for place in read.bad:
            contents[place] = -block.numbers[place]
        keyed = [key is not None for key in _keys(block, kind, by_sku)]
        contents, block = list(itertools.compress(contents, keyed)), block.where(keyed)
    skus = block.column("match_key")
    looks = looks_of(skus) if kind in ("products", "stock") else None
    index.extend(block.numbers, _keys(block, kind, by_sku), contents, looks, skus if kind == "stock" else None)


def _comparable(name: str, values: list[Any]) -> list[Any]:
    """The values so that equal ones have equal hashes: a price of 1.00 is one of 1.0."""
    if name == "options":
        return [tuple(one.items()) if one else None for one in values]
    if name == "price":
        return [value.rstrip("0").rstrip(".") if value and "." in value else value for value in values]
    return values


def _keys(block: Block, kind: Kind, by_sku: bool) -> Iterable[object]:
    """What makes each row of this kind unique within its file, or None when the row does not say."""
    if kind == "products":
        return block.column("match_key")
    if kind == "stock":
        return _together(block.column("match_key"), block.column("warehouse"))
    if by_sku:
        return _together(block.column("match_key"), block.column("channel"))
    identities = block.column("listing_id")
    if None in identities:
        identities = [one or other for one, other in zip(identities, block.column("listing_sku"), strict=True)]
    return _together(identities, block.column("source"), block.column("channel"))


def _together(keys: list[Any], *more: list[Any]) -> Iterator[object]:
    together = zip(keys, *more, strict=True)
    return (one if one[0] is not None else None for one in together) if None in keys else together


def _key_field(kind: Kind) -> str:
    return "sku" if kind in ("products", "stock") else "listing_id"


def _settle_duplicates(findings: Findings, kind: Kind, columns: dict[str, str], stage: Stage, tally: Tally) -> None:
    name = _key_field(kind)
    header = next((header for header, field_name in columns.items() if field_name == name), name)
    header = header if name in columns.values() else next((h for h, f in columns.items() if f == "sku"), name)
    texts: dict[int, str] = {}
    alike = {row for group in findings.look_alikes[:MOST_LOOK_ALIKES] for row in group[:12]}
    if alike:
        texts = _texts_of(stage, alike, name)
    if findings.repeats or findings.conflicts:
        _drop(findings, name, header, stage, tally)
    for group in findings.look_alikes[:MOST_LOOK_ALIKES]:
        _warn_about_looks(group, texts, header, tally)
    tally.warnings_by_code["sku_look_alike"] += max(0, len(findings.look_alikes) - MOST_LOOK_ALIKES)


def _drop(findings: Findings, name: str, header: str, stage: Stage, tally: Tally) -> None:
    label = field_of(name).label
    good: set[int] = set()

    def seen(number: int, fields: Fields) -> None:
        good.add(number)
        value = shown(fields.get(name) or fields.get("listing_sku", ""))
        if number in findings.conflicts:
            _conflict(number, value)
            tally.good -= 1
            tally.bad += 1
        else:
            first = findings.repeats[number]
            tally.good -= 1
            tally.skipped += 1
            said = phrase("Row {row} is equal to row {first} and is left out.", row=number, first=first)
            tally.warn(number, header, "duplicate_row", said)

    def _conflict(number: int, value: str) -> None:
        rows = rows_said([row for row in findings.conflicts[number] if row != number])
        if value:
            message = phrase(
                "Row {row} repeats the {label} of {rows} with other values: {value}. Keep one of the rows.",
                row=number, label=label, rows=rows, value=value,
            )  # fmt: skip
        else:
            message = phrase(
                "Row {row} repeats the {label} of {rows} with other values. Keep one of the rows.",
                row=number, label=label, rows=rows,
            )  # fmt: skip
        problem = Problem(number, header, "duplicate_conflict", value, message)
        tally.error(problem)
        stage.problem(problem)

    stage.drop({*findings.repeats, *findings.conflicts}, seen)
    for number in sorted(set(findings.conflicts) - good):
        _conflict(number, tally.bad_keys.get(number, ""))


def _texts_of(stage: Stage, rows: set[int], name: str) -> dict[int, str]:
    return {number: shown(fields.get(name, "")) for number, fields in stage.look_up(rows)}


def _warn_about_looks(group: list[int], texts: dict[int, str], header: str, tally: Tally) -> None:
    skus = skus_said(group, texts)
    if len({texts[row].casefold() for row in group if row in texts}) == 1:
        message = phrase("These SKUs differ by case only: {skus}. They are kept as different products.", skus=skus)
        tally.warn(group[0], header, "sku_case", message)
    else:
        message = phrase("These SKUs differ but look the same: {skus}. They are kept as different products.", skus=skus)
        tally.warn(group[0], header, "sku_look_alike", message)


def _warn_about_hidden(opened: Opened, tally: Tally) -> None:
    hidden = opened.table.hidden
    for index, column in enumerate(opened.columns):
        if column.field and hidden.has_column(index):
            said = phrase("The column {column} is hidden in the file, and is read.", column=shown(column.header))
            tally.warn(opened.header.row, column.header, "hidden_column", said)
    if hidden.row_count:
        count, rows = f"{hidden.row_count:,}", ", ".join(map(str, hidden.rows))
        if hidden.row_count == 1:
            said = phrase("1 row is hidden in the file, and is read: {rows}.", rows=rows)
        elif hidden.row_count > len(hidden.rows):
            said = phrase("{n} rows are hidden in the file, and are read: {rows} and more.", n=count, rows=rows)
        else:
            said = phrase("{n} rows are hidden in the file, and are read: {rows}.", n=count, rows=rows)
        tally.warn(hidden.rows[0], "", "hidden_rows", said)
