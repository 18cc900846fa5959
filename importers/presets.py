"""Exports known by name: which headers give them away, what their columns mean, and which of their rows are no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from importers.fields import KIND_FIELDS, OPTION_COLUMNS
from importers.more_presets import MORE_PRESETS
from importers.preset import Preset, signature
from importers.preset_rows import (
    amazon_flat_rows,
    amazon_rows,
    ebay_rows,
    mercado_libre_rows,
    shopify_inventory_rows,
    shopify_product_rows,
    woocommerce_rows,
)
from importers.preset_words import (
    AMAZON,
    AMAZON_OPEN,
    EBAY,
    GOOGLE,
    MERCADO_LIBRE,
    TIENDANUBE,
    WOOCOMMERCE,
)
from importers.report import FileRefused, Kind, shown
from importers.unfolding import unfold_locations
from importers.vocabulary import forms
from importers.wording import phrase

_OPTIONS: dict[str, tuple[str, ...]] = {name: (name.replace("_", " "),) for name in OPTION_COLUMNS}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "amazon_all_listings",
            ("products", "stock", "listings"),
            tuple(
                signature("seller sku", "item name", also) for also in ("listing id", "asin1", "fulfillment channel")
            ),
            {
                "sku": ("seller sku",),
                "title": ("item name",),
                "description": ("item description",),
                "price": ("price",),
                "quantity": ("quantity",),
                "gtin": ("product id",),
                "image_url": ("image url",),
                "listing_id": ("listing id",),
                "status": ("status",),
            },
            rows=amazon_rows,
            helpers=("product id type",),
            words=AMAZON,
        ),
        Preset(
            "amazon_price_quantity",
            ("products", "stock", "listings"),
            (
                signature("sku", "price", "quantity", "minimum seller allowed price"),
                signature("sku", "price", "quantity", "handling time"),
                signature("sku", "price", "quantity", "leadtime to ship"),
            ),
            {"sku": ("sku",), "price": ("price",), "quantity": ("quantity",), "gtin": ("product id",)},
            rows=amazon_rows,
            helpers=("product id type",),
        ),
        Preset(
            # The templates of categories: a line about the template, labels in the language of the shop, these names.
            "amazon_flat_file",
            ("products", "stock", "listings"),
            (signature("item sku", "item name"), signature("item sku", "standard price", "quantity")),
            {
                "sku": ("item sku",),
                "title": ("item name",),
                "brand": ("brand name",),
                "gtin": ("external product id",),
                "mpn": ("part number",),
                "description": ("product description",),
                "category": ("item type", "feed product type"),
                "price": ("standard price",),
                "quantity": ("quantity",),
                "image_url": ("main image url",),
                "base_sku": ("parent sku",),
                "parent_id": ("parent sku",),
            },
            rows=amazon_flat_rows,
            helpers=("parent child", "external product id type"),
        ),
        Preset(
            # An ASIN names a page that several of a seller's offers share, so it is no listing ID: the SKU is.
            "amazon_open_listings",
            ("products", "stock", "listings"),
            (signature("sku", "asin", "price", "quantity"),),
            {"sku": ("sku",), "price": ("price",), "quantity": ("quantity",)},
            words=AMAZON_OPEN,
        ),
        Preset(
            "shopify_inventory",
            ("stock", "products"),
            tuple(
                signature("handle", "sku", "location", also)
                for also in ("on hand", "on hand current", "available", "available not editable")
            ),
            {
                "sku": ("sku",),
                "quantity": ("on hand new", "on hand current", "on hand", "available not editable", "available"),
                "warehouse": ("location",),
                "title": ("title",),
            },
            rows=shopify_inventory_rows,
            helpers=("on hand current",),
        ),
        Preset(
            "shopify_inventory_wide",
            ("stock",),
            (signature("handle", "sku", "hs code", "coo"),),
            {"sku": ("sku",), "title": ("title",)},
            unfold=unfold_locations,
            then="shopify_inventory",
        ),
        Preset(
            "shopify_products_old",
            ("products", "stock", "listings"),
            (signature("handle", "variant sku"),),
            {
                "sku": ("variant sku",),
                "title": ("title",),
                "description": ("body html", "body"),
                "brand": ("vendor",),
                "category": ("product category", "standardized product type", "custom product type", "type"),
                "gtin": ("variant barcode",),
                "price": ("variant price",),
                "quantity": ("variant inventory qty",),
                "image_url": ("variant image", "image src"),
                "base_sku": ("handle",),
                "parent_id": ("handle",),
                "status": ("status",),
                **_OPTIONS,
            },
            rows=shopify_product_rows,
            helpers=("handle", "url handle"),
        ),
        Preset(
            "shopify_products",
            ("products", "stock", "listings"),
            (signature("url handle", "sku", "title"), signature("url handle", "sku", "price")),
            {
                "sku": ("sku",),
                "title": ("title",),
                "description": ("description",),
                "brand": ("vendor",),
                "category": ("product category", "type"),
                "gtin": ("barcode",),
                "price": ("price",),
                "quantity": ("inventory quantity",),
                "image_url": ("variant image url", "product image url"),
                "base_sku": ("url handle",),
                "parent_id": ("url handle",),
                "status": ("status",),
                **_OPTIONS,
            },
            rows=shopify_product_rows,
            helpers=("handle", "url handle"),
        ),
        Preset(
            "woocommerce",
            ("products", "stock", "listings"),
            tuple(signature("type", "sku", "regular price", also) for also in ("name", "published", "parent", "id")),
            {
                "sku": ("sku",),
                "title": ("name",),
                "description": ("description", "short description"),
                "brand": ("brands", "brand"),
                "category": ("categories",),
                "gtin": ("gtin upc ean or isbn",),
                "price": ("regular price",),
                "quantity": ("stock",),
                "image_url": ("images",),
                "base_sku": ("parent",),
                "parent_id": ("parent",),
                **{
                    f"option{number}_{part}": (f"attribute {number} {word}",)
                    for number in (1, 2, 3)
                    for part, word in (("name", "name"), ("value", "value s"))
                },
            },
            by_kind={"listings": {"listing_id": ("id",)}},
            rows_twice=woocommerce_rows,
            helpers=("type", "id", "parent"),
            words=WOOCOMMERCE,
        ),
        Preset(
            "ebay_active_listings",
            ("products", "stock", "listings"),
            (signature("item number", "custom label sku"), signature("item number", "custom label", "title")),
            {
                "listing_id": ("item number",),
                "sku": ("custom label sku", "custom label"),
                "title": ("title",),
                "quantity": ("available quantity", "quantity available"),
                "price": ("current price", "start price"),
                "currency": ("currency",),
                "gtin": ("p ean", "p upc", "p isbn"),
                "category": ("ebay category 1 name",),
                "option_details": ("variation details",),
            },
            rows=ebay_rows,
            words=EBAY,
            helpers=("item number", "variation details"),
        ),
        Preset(
            "google_merchant",
            ("products", "listings"),
            (
                signature("id", "title", "link", "price", "availability"),
                signature("id", "title", "image link", "price"),
            ),
            {
                "sku": ("id",),
                "title": ("title",),
                "description": ("description",),
                "price": ("price",),
                "brand": ("brand",),
                "gtin": ("gtin",),
                "mpn": ("mpn",),
                "category": ("google product category", "product type"),
                "image_url": ("image link",),
                "base_sku": ("item group id",),
                "parent_id": ("item group id",),
                "url": ("link",),
                "status": ("availability",),
            },
            currency_in_price=True,
            words=GOOGLE,
        ),
        Preset(
            "mercado_libre",
            ("products", "stock", "listings"),
            (
                *(signature("item id", sku) for sku in ("variation sku", "item sku")),
                *(signature("item id", "variation", also) for also in ("sku", "title", "titulo")),
                signature("sellercustomsku"),
            ),
            {
                "listing_id": ("item id", "id", "codigo de la publicacion"),
                "sku": ("variation sku", "item sku", "sellercustomsku", "sku"),
                "title": ("title", "titulo"),
                "quantity": (
                    *("quantity", "available quantity", "cantidad disponible", "quantidade", "cantidad", "stock"),
                ),
                "price": ("price", "precio", "preco"),
                "status": ("status", "estado"),
                "option_details": ("variation values",),
            },
            rows=mercado_libre_rows,
            helpers=("variation", "item sku"),
            words=MERCADO_LIBRE,
        ),
        Preset(
            "linnworks_links",
            ("links",),
            (signature("source", "linnworks sku", "channel sku"), signature("source", "lw sku", "channel sku")),
            {
                "source": ("source",),
                "channel": ("subsource", "sub source"),
                "sku": ("linnworks sku", "lw sku"),
                "listing_sku": ("channel sku",),
                "listing_id": ("channelreferenceid", "channel reference id"),
            },
        ),
        *MORE_PRESETS,
        Preset(
            # Our own exports bear the names of the fields, so this one is never needed; it can be asked for by name.
            "pairbook",
            ("products", "stock", "listings", "links"),
            (),
            {name: (name.replace("_", " "),) for fields in KIND_FIELDS.values() for name in fields},
        ),
    )
}


PRESETS["tiendanube"] = replace(PRESETS["shopify_products"], name="tiendanube", words=TIENDANUBE)


def find_preset(headers: Sequence[str], kind: Kind, wanted: str | None) -> Preset | None:
    """The preset that a person named, or the one that the headers give away; None when there is none.

    Raises:
        FileRefused: unknown_value for a name that is not known, or not for this kind of file.
    """
    if wanted == "none":
        return None
    if wanted is not None:
        named = PRESETS.get(wanted.replace("-", "_"))
        if named is None or kind not in named.kinds:
            names = ", ".join(name for name, preset in PRESETS.items() if kind in preset.kinds)
            said = phrase(
                "“{preset}” is no preset for {kind}. Choose one of: {names}.",
                preset=shown(wanted), kind=kind, names=names,
            )  # fmt: skip
            raise FileRefused("unknown_value", said)
        return named
    found = {form for header in headers for form in forms(header)}
    for preset in PRESETS.values():
        have = preset.english(found)
        if kind in preset.kinds and any(signature <= have for signature in preset.signatures):
            return preset
    return None
