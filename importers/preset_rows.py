"""The habits of known exports: rows that continue the one above, parents of variations, and what is only a picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from importers.cells import Cell, as_shown
from importers.tables import Row

#: A row, or None in place of its cells when it is left out on purpose.
KeptRow = tuple[int, list[Cell] | None]
RowFilter = Callable[[Iterable[Row]], Iterator[KeptRow]]
#: Goes through the rows of the file once more, from the first one on.
Again = Callable[[], Iterable[Row]]

_GTIN_TYPES = ("2", "3", "4", "isbn", "upc", "ean", "jan", "gtin")
#: What a variation on eBay has from its listing, where its own cell is blank.
_EBAY_SHARED = ("title", "currency", "ebay category 1 name")
_WOO_PARENTS = {"variable", "grouped", "variable-subscription"}
_ASIN = re.compile(r"B0[0-9A-Z]{8}")


class _Layout:
    """Looks cells up by normalised header."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places

    def text(self, cells: list[Cell], header: str) -> str:
        place = self._places.get(header)
        return as_shown(cells[place]).strip() if place is not None and place < len(cells) else ""

    def put(self, cells: list[Cell], header: str, value: Cell) -> None:
        place = self._places.get(header)
        if place is not None and place < len(cells):
            cells[place] = value

    def first(self, *headers: str) -> str:
        """The first of these headers that the file has, or the last one."""
        return next((header for header in headers if header in self._places), headers[-1])


def amazon_rows(places: Mapping[str, int]) -> RowFilter:
    """Amazon: the product id is a barcode only when its type says so; an ASIN is left out."""
    layout = _Layout(places)

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            told = layout.text(cells, "product id type").lower() in _GTIN_TYPES if "product id type" in places else None
            if told is False or (told is None and _ASIN.fullmatch(layout.text(cells, "product id"))):
                layout.put(cells, "product id", "")
            yield number, cells

    return keep


def amazon_flat_rows(places: Mapping[str, int]) -> RowFilter:
    """Amazon's category templates: a parent only holds its variations together, and an ASIN is no barcode."""
    layout = _Layout(places)

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            if layout.text(cells, "parent child").lower() == "parent":
                yield number, None
                continue
            if layout.text(cells, "external product id type").lower() not in _GTIN_TYPES:
                layout.put(cells, "external product id", "")
            yield number, cells

    return keep


def shopify_product_rows(places: Mapping[str, int]) -> RowFilter:
    """Shopify: a row without title continues the product above; without SKU and price it only adds a picture."""
    layout = _Layout(places)
    handle = layout.first("url handle", "handle")
    sku, price = layout.first("variant sku", "sku"), layout.first("variant price", "price")
    inherited = (
        *("title", "body html", "description", "vendor", "product category", "type", "status"),
        *(f"option{number} name" for number in (1, 2, 3)),
    )

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        parent: tuple[str, dict[str, str]] = ("", {})
        for number, cells in rows:
            name = layout.text(cells, handle)
            if name and name == parent[0] and not layout.text(cells, "title"):
                for header, value in parent[1].items():
                    if not layout.text(cells, header):
                        layout.put(cells, header, value)
            elif name:
                parent = name, {header: layout.text(cells, header) for header in inherited}
            if name and not layout.text(cells, sku) and not layout.text(cells, price):
                yield number, None
                continue
            if layout.text(cells, "option1 value") == "Default Title":
                for header in ("option1 name", "option1 value", handle):
                    layout.put(cells, header, "")
            yield number, cells

    return keep


def shopify_inventory_rows(places: Mapping[str, int]) -> RowFilter:
    """Shopify inventory: “not stocked” means that the location does not keep the product; no new count: the old."""
    layout = _Layout(places)
    counts = [header for header in places if header.startswith(("on hand", "available"))]

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            said = [layout.text(cells, header).casefold() for header in counts]
            if "not stocked" in said:
                yield number, None
                continue
            if not layout.text(cells, "on hand new"):
                layout.put(cells, "on hand new", layout.text(cells, "on hand current"))
            yield number, cells

    return keep


def woocommerce_rows(places: Mapping[str, int], again: Again) -> RowFilter:
    """WooCommerce: variable and grouped rows are parents without stock of their own; `id:12` is the parent's number.

    A parent may stand below its variations. The file is gone through once more for it, at the first that needs that.
    """
    layout = _Layout(places)

    def kinds_of(cells: list[Cell]) -> set[str]:
        return {kind.strip() for kind in layout.text(cells, "type").lower().split(",")}

    @cache
    def parents_below() -> dict[str, str]:
        found = ((layout.text(cells, "id"), layout.text(cells, "sku"), kinds_of(cells)) for _, cells in again())
        return {number: sku for number, sku, kinds in found if sku and kinds & _WOO_PARENTS}

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        sku_of: dict[str, str] = {}
        for number, cells in rows:
            kinds = kinds_of(cells)
            if kinds & _WOO_PARENTS:
                sku_of[layout.text(cells, "id")] = layout.text(cells, "sku")
                yield number, None
                continue
            parent = layout.text(cells, "parent")
            if parent.startswith("id:"):
                known = sku_of[parent[3:]] if parent[3:] in sku_of else parents_below().get(parent[3:])
                layout.put(cells, "parent", known or parent)  # the number of a parent without SKU still groups
            if "variation" not in kinds:
                for option in (1, 2, 3):
                    layout.put(cells, f"attribute {option} name", "")
                    layout.put(cells, f"attribute {option} value s", "")
            yield number, cells

    return keep


def _place_of_sum(details: list[str], skus: list[str]) -> int | None:
    """Which of the rows of an eBay listing is the sum of the others: it names all their values, as in “Color=Red;Blue”.

    It stands first unless somebody has sorted the file. None where the rows are variations only.
    """
    values = [{part.rpartition("=")[2].strip().casefold() for part in re.split("[;,|]", said)} for said in details]
    all_values = set().union(*values) - {""}
    sums = [place for place, own in enumerate(values) if not details[place] or own >= all_values]
    if sums:
        return next((place for place in sums if not skus[place]), sums[0])
    parts = [said.count(";") for said in details]
    return parts.index(max(parts)) if parts.count(max(parts)) == 1 else None


def ebay_rows(places: Mapping[str, int]) -> RowFilter:
    """eBay: of a listing with variations, one row is their sum; each variation gets an id of its own.

    Where the file holds variations only, none is taken for the sum; where it holds the sum only, that is the listing,
    without a value of its own.
    """
    layout = _Layout(places)
    sku = layout.first("custom label sku", "custom label")

    def complete(group: list[Row]) -> Iterator[KeptRow]:
        details = [layout.text(cells, "variation details") for _, cells in group]
        if len(group) == 1 and {"=" in part for part in details[0].split(";")} == {True, False}:
            layout.put(group[0][1], "variation details", "")
        if len(group) == 1 or not any(details):
            yield from group
            return
        parent = _place_of_sum(details, [layout.text(cells, sku) for _, cells in group])
        shared = {} if parent is None else {header: layout.text(group[parent][1], header) for header in _EBAY_SHARED}
        for place, (number, cells) in enumerate(group):
            if place == parent:
                yield number, None
                continue
            own = layout.text(cells, sku) or details[place]
            layout.put(cells, "item number", f"{layout.text(cells, 'item number')}:{own}")
            for header, value in shared.items():
                if not layout.text(cells, header):
                    layout.put(cells, header, value)
            yield number, cells

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        group: list[Row] = []
        for row in rows:
            item = layout.text(row[1], "item number")
            if group and (not item or item != layout.text(group[0][1], "item number")):
                yield from complete(group)
                group = []
            group.append(row)
        yield from complete(group) if group else ()

    return keep


def mercado_libre_rows(places: Mapping[str, int]) -> RowFilter:
    """Mercado Libre: a variation is a listing of its own, named by item and variation; its SKU may be on the item.

    An item without a digit in its number is a row of instructions.
    """
    layout = _Layout(places)

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            variation = layout.text(cells, "variation")
            item = layout.text(cells, "item id")
            if item and not any(map(str.isdigit, item)):  # what may be changed in the column, below its header
                yield number, None
                continue
            if variation and item:
                layout.put(cells, "item id", f"{item}:{variation}")
            if not layout.text(cells, "variation sku"):
                layout.put(cells, "variation sku", layout.text(cells, "item sku"))
            yield number, cells

    return keep


def tiktok_rows(places: Mapping[str, int]) -> RowFilter:
    """TikTok Shop: below the technical names stand labels, and what may be filled in; only offers have a number."""
    layout = _Layout(places)

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            offer = layout.text(cells, "sku id")
            yield number, None if offer and not any(map(str.isdigit, offer)) else cells

    return keep


def etsy_rows(places: Mapping[str, int]) -> RowFilter:
    """Etsy: the SKUs of all variations stand in one cell; each is an offer, and the quantity of all is that of none."""
    layout = _Layout(places)

    def keep(rows: Iterable[Row]) -> Iterator[KeptRow]:
        for number, cells in rows:
            skus = [sku.strip() for sku in layout.text(cells, "sku").split(",") if sku.strip()]
            if len(skus) < 2 or not layout.text(cells, "variation 1 values"):
                yield number, cells
                continue
            for sku in dict.fromkeys(skus):
                offer = list(cells)
                layout.put(offer, "sku", sku)
                layout.put(offer, "quantity", "")
                yield number, offer

    return keep
