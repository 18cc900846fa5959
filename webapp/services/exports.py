"""Tables into files that import again without change: streamed, exact, and no text a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from connectors import price_text
from connectors.sheets import NOT_IN_XML, cell_text, neutral
from webapp.models.accounts import AuditEntry
from webapp.models.catalog import BaseProduct, Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.stock import StockLevel, Warehouse
from webapp.services.stock import MAIN

FORMATS = (".csv", ".xlsx")
STEP = 5_000  # rows fetched at once: memory stays the same for ten rows and for a million
LONGEST_CELL = 32_767
OPTIONS = 3  # pairs of option columns
Cell = str | int | Decimal | None


@dataclass(frozen=True)
class Table:
    """What one kind of export holds: its columns, and the rows of a session, oldest first."""

    columns: tuple[str, ...]
    rows: Callable[[Session, Channel | None], Iterator[tuple[Cell, ...]]]


def export(session: Session, what: str, path: Path, *, channel: Channel | None = None) -> int:
    """Write a table to `path` (.csv or .xlsx), of one channel or of all; gives the number of rows.

    The file appears under its name only when it is whole. Text that a spreadsheet program would take for a
    formula gets a `'` in front, which the import takes off again; numbers are written as they are.
    """
    table = TABLES[what]
    with _whole(path) as out:
        write = write_xlsx if path.suffix.lower() == ".xlsx" else write_csv
        return write(out, table.columns, table.rows(session, channel))


def write_csv(out: BinaryIO, columns: Iterable[str], rows: Iterable[tuple[Cell, ...]]) -> int:
    """UTF-8 with the byte order mark that spreadsheet programs look for; gives the number of rows."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", errors="replace")
    writer = csv.writer(text)
    writer.writerow(columns)
    n = 0
    for row in rows:
        writer.writerow([_as_text(value) for value in row])
        n += 1
    text.flush()
    text.detach()
    return n


def write_xlsx(out: BinaryIO, columns: Iterable[str], rows: Iterable[tuple[Cell, ...]]) -> int:
    """One sheet of typed cells, row by row: text is text, numbers keep every digit; gives the number of rows."""
    from openpyxl import Workbook  # slow to load: every start of the application would pay for it

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    sheet.append(list(columns))
    n = 0
    for row in rows:
        sheet.append([_as_cell(sheet, value) for value in row])
        n += 1
    book.save(out)
    return n


def _as_text(value: Cell) -> str:
    if isinstance(value, str):
        return neutral(value)
    return "" if value is None else price_text(value) if isinstance(value, Decimal) else str(value)


def _as_cell(sheet: Any, value: Cell) -> Any:
    """A cell of its own type; digits are given as text, since openpyxl would round them through a float."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or value == "":
        return None
    if isinstance(value, str):
        # A text cell is no formula. Only what an import would take for an added apostrophe gets one more.
        shown = neutral(value) if value.startswith("'") else value
        cell, kind, form = (
            WriteOnlyCell(sheet, cell_text(NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", shown)[:LONGEST_CELL])),
            "s",
            "@",
        )
    else:
        cell, kind = WriteOnlyCell(sheet, _as_text(value)), "n"
        form = "0" if isinstance(value, int) else "0.00##"
    cell.data_type, cell.number_format = kind, form
    return cell


def _products(session: Session, _channel: Channel | None) -> Iterator[tuple[Cell, ...]]:
    main = (
        select(StockLevel)
        .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
        .where(Warehouse.name == MAIN)
        .subquery()
    )
    query = (
        select(Product, BaseProduct.sku, main.c.on_hand)
        .outerjoin(BaseProduct, BaseProduct.id == Product.base_id)
        .outerjoin(main, main.c.product_id == Product.id)
        .where(Product.retired_at.is_(None))
    )
    for p, base, on_hand in _stream(session, query, Product.id):
        # Debt after an oversale is below zero, which no file can say: blank leaves it alone.
        quantity = on_hand if on_hand is not None and on_hand >= 0 else None
        yield (
            p.sku,
            p.title,
            p.brand,
            p.gtin,
            p.mpn,
            p.description,
            p.category,
            p.price,
            p.currency or None,
            quantity,
            base,
            *_options(p.options),
            p.image_url,
        )


def _listings(session: Session, channel: Channel | None) -> Iterator[tuple[Cell, ...]]:
    query = select(Listing, Channel.name).join(Channel, Channel.id == Listing.channel_id)
    for x, name in _stream(session, _only(query, Listing, channel), Listing.id):
        yield (
            name,
            x.external_id,
            x.sku,
            x.title,
            x.brand,
            x.gtin,
            x.mpn,
            x.description,
            x.category,
            x.price,
            x.currency or None,
            x.quantity,
            x.status,
            x.url,
            x.image_url,
            x.parent_id,
            *_options(x.options),
        )


def _options(options: dict[str, Any] | None) -> list[str | None]:
    """Names and values of options in as many cells as there are columns for them."""
    named = [str(cell) for pair in list((options or {}).items())[:OPTIONS] for cell in pair]
    return [*named, *([None] * (2 * OPTIONS - len(named)))]


def _links(session: Session, channel: Channel | None) -> Iterator[tuple[Cell, ...]]:
    query = (
        select(Link.id, Channel.name, Listing.external_id, Product.sku)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Product, Product.id == Link.product_id)
        .join(Channel, Channel.id == Link.channel_id)
    )
    for _, name, external_id, sku in _stream(session, _only(query, Link, channel), Link.id):
        yield name, external_id, sku


def _audit(session: Session, _channel: Channel | None) -> Iterator[tuple[Cell, ...]]:
    for (e,) in _stream(session, select(AuditEntry), AuditEntry.id):
        yield _moment(e.at), e.by_name, e.event, e.subject, e.sentence, _json(e.before), _json(e.after)


def _only(query: Any, model: Any, channel: Channel | None) -> Any:
    return query if channel is None else query.where(model.channel_id == channel.id)


def _stream(session: Session, query: Select[Any], key: Any) -> Iterator[Any]:
    """All rows in key order, a step at a time, forgetting each step before the next."""
    last = 0
    while True:
        rows = session.execute(query.where(key > last).order_by(key).limit(STEP)).all()
        if not rows:
            return
        yield from rows
        first = rows[-1][0]
        last = first if isinstance(first, int) else first.id
        session.expunge_all()


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


_OPTION_COLUMNS = tuple(f"option{n}_{part}" for n in range(1, OPTIONS + 1) for part in ("name", "value"))
_FACTS = ("title", "brand", "gtin", "mpn", "description", "category", "price", "currency", "quantity")
TABLES = {
    "products": Table(("sku", *_FACTS, "base_sku", *_OPTION_COLUMNS, "image_url"), _products),
    "listings": Table(
        ("channel", "listing_id", "sku", *_FACTS, "status", "url", "image_url", "parent_id", *_OPTION_COLUMNS),
        _listings,
    ),
    "links": Table(("channel", "listing_id", "sku"), _links),
    "audit": Table(("at", "by", "event", "subject", "sentence", "before", "after"), _audit),
}
