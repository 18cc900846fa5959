"""The fields of each kind of file: what they are called, how they are read, and which of them must be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from importers.report import Kind

Reads = Literal["id", "text", "gtin", "quantity", "price", "currency"]


@dataclass(frozen=True)
class Field:
    """A field of a row: its name in the data, the word people use, and how its cells are read."""

    name: str
    label: str
    reads: Reads


OPTION_PREFIX = "option:"
OPTION_COLUMNS = tuple(f"option{number}_{part}" for number in (1, 2, 3) for part in ("name", "value"))

_ALL = (
    Field("sku", "SKU", "id"),
    Field("listing_id", "listing ID", "id"),
    Field("listing_sku", "channel SKU", "id"),
    Field("base_sku", "base SKU", "id"),
    Field("channel", "channel", "id"),
    Field("source", "source", "id"),
    Field("warehouse", "warehouse", "id"),
    Field("mpn", "MPN", "id"),
    Field("brand", "brand", "text"),
    Field("title", "title", "text"),
    Field("description", "description", "text"),
    Field("category", "category", "text"),
    Field("status", "status", "text"),
    Field("url", "URL", "text"),
    Field("image_url", "image URL", "text"),
    Field("gtin", "GTIN", "gtin"),
    Field("quantity", "quantity", "quantity"),
    Field("price", "price", "price"),
    Field("currency", "currency", "currency"),
    *(Field(name, name.replace("_", " "), "text") for name in OPTION_COLUMNS),
)
FIELDS = {field.name: field for field in _ALL}

KIND_FIELDS: dict[Kind, tuple[str, ...]] = {
    "products": (
        *("sku", "title", "brand", "gtin", "mpn", "description", "category", "price", "quantity", "base_sku"),
        *("currency", "image_url", *OPTION_COLUMNS),
    ),
    "stock": ("sku", "quantity", "warehouse", "price"),
    "listings": (
        *("listing_id", "sku", "title", "brand", "gtin", "mpn", "description", "category", "price", "currency"),
        *("quantity", "status", "url", "image_url", "channel"),
    ),
    "links": ("channel", "source", "listing_id", "listing_sku", "sku"),
}

#: Each group needs one of its fields.
REQUIRED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "products": (("sku",), tuple(name for name in KIND_FIELDS["products"] if name != "sku")),
    "stock": (("sku",), ("quantity", "price")),
    "listings": (("listing_id", "sku"),),
    "links": (("sku",), ("listing_id", "listing_sku")),
}


def is_field(name: str, kind: Kind) -> bool:
    """True when rows of this kind have the field; `option:Colour` is a field of products."""
    return name in KIND_FIELDS[kind] or (kind == "products" and name.startswith(OPTION_PREFIX) and len(name) > 7)


def field_of(name: str) -> Field:
    """The field of that name; an `option:…` field is made on the spot."""
    return FIELDS.get(name) or Field(name, name.removeprefix(OPTION_PREFIX), "text")
