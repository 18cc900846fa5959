"""The fields of each kind of file: what they are called, how they are read, and which of them must be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from importers.report import Kind
from importers.wording import phrase

Reads = Literal["id", "text", "gtin", "quantity", "price", "currency"]


@dataclass(frozen=True)
class Field:
    """A field of a row: its name in the data, the word people use, the same as a title, and how its cells are read."""

    name: str
    label: str
    title: str
    reads: Reads


OPTION_PREFIX = "option:"
OPTION_COLUMNS = tuple(f"option{number}_{part}" for number in (1, 2, 3) for part in ("name", "value"))
#: All options of a row in one cell, as in “[Color=Red;Size=M]”.
OPTION_DETAILS = "option_details"
_OPTION_WORDS = [
    words
    for n in (1, 2, 3)
    for words in (
        (phrase("option{n} name", n=n), phrase("Option{n} name", n=n)),
        (phrase("option{n} value", n=n), phrase("Option{n} value", n=n)),
    )
]

_ALL = (
    Field("sku", phrase("SKU"), phrase("SKU"), "id"),
    Field("listing_id", phrase("listing ID"), phrase("Listing ID"), "id"),
    Field("listing_sku", phrase("channel SKU"), phrase("Channel SKU"), "id"),
    Field("base_sku", phrase("base SKU"), phrase("Base SKU"), "id"),
    Field("parent_id", phrase("parent ID"), phrase("Parent ID"), "id"),
    Field("channel", phrase("channel"), phrase("Channel"), "id"),
    Field("source", phrase("source"), phrase("Source"), "id"),
    Field("warehouse", phrase("warehouse"), phrase("Warehouse"), "id"),
    Field("mpn", phrase("MPN"), phrase("MPN"), "id"),
    Field("brand", phrase("brand"), phrase("Brand"), "text"),
    Field("title", phrase("title"), phrase("Title"), "text"),
    Field("description", phrase("description"), phrase("Description"), "text"),
    Field("category", phrase("category"), phrase("Category"), "text"),
    Field("status", phrase("status"), phrase("Status"), "text"),
    Field("url", phrase("URL"), phrase("URL"), "text"),
    Field("image_url", phrase("image URL"), phrase("Image URL"), "text"),
    Field("gtin", phrase("GTIN"), phrase("GTIN"), "gtin"),
    Field("quantity", phrase("quantity"), phrase("Quantity"), "quantity"),
    Field("price", phrase("price"), phrase("Price"), "price"),
    Field("currency", phrase("currency"), phrase("Currency"), "currency"),
    *(Field(name, *words, "text") for name, words in zip(OPTION_COLUMNS, _OPTION_WORDS, strict=True)),
    Field(OPTION_DETAILS, phrase("variation details"), phrase("Variation details"), "text"),
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
        *("quantity", "status", "url", "image_url", "channel", "parent_id", OPTION_DETAILS, *OPTION_COLUMNS),
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
    if name in FIELDS:
        return FIELDS[name]
    label = name.removeprefix(OPTION_PREFIX)
    return Field(name, label, f"{label[:1].upper()}{label[1:]}", "text")
