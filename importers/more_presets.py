"""Exports of marketplaces beyond those that most shops use, and of SAP; see `presets`."""

from __future__ import annotations

from importers.preset import Preset, signature
from importers.preset_rows import etsy_rows, tiktok_rows
from importers.preset_words import MIRAKL, OZON, SAP

MORE_PRESETS = (
    Preset(
        "tiktok_shop",
        ("products", "stock", "listings"),
        (signature("product id", "sku id", "seller sku"),),
        {
            "sku": ("seller sku",),
            "title": ("product name",),
            "category": ("category",),
            "price": ("price", "price local currency", "retail price local currency", "retail price"),
            "quantity": ("quantity", "quantity in warehouse", "total quantity"),
            "listing_id": ("sku id",),
            "parent_id": ("product id",),
            "option1_value": ("variation value",),
        },
        rows=tiktok_rows,
        helpers=("sku id",),
    ),
    Preset(
        "shopee",
        ("products", "stock", "listings"),
        (signature("product id", "variation id", "variation name"),),
        {
            "sku": ("sku", "variation sku"),
            "title": ("product name",),
            "price": ("price",),
            "quantity": ("stock",),
            "listing_id": ("variation id",),
            "parent_id": ("product id",),
        },
    ),
    Preset(
        "mirakl_offers",
        ("products", "stock", "listings"),
        (signature("offer sku", "product sku"),),
        {
            "sku": ("offer sku",),
            "listing_id": ("offer id",),
            "title": ("product title",),
            "price": ("price",),
            "quantity": ("quantity",),
            "category": ("category",),
        },
        words=MIRAKL,
    ),
    Preset(
        # Its “SKU” is a number of the marketplace's own.
        "ozon",
        ("products", "stock", "listings"),
        (signature("offer", "ozon product id"),),
        {
            "sku": ("offer",),
            "listing_id": ("ozon product id",),
            "title": ("name",),
            "gtin": ("barcode",),
            "price": ("price",),
            "quantity": ("stock",),
        },
        words=OZON,
    ),
    Preset(
        # One row for a listing, with the SKUs of all its variations in one cell.
        "etsy_listings",
        ("products", "stock", "listings"),
        (signature("title", "price", "currency code", "quantity", "sku", "variation 1 values"),),
        {
            "sku": ("sku",),
            "title": ("title",),
            "description": ("description",),
            "price": ("price",),
            "currency": ("currency code",),
            "quantity": ("quantity",),
            "image_url": ("image1",),
        },
        rows=etsy_rows,
    ),
    Preset(
        "sap_stock",
        ("products", "stock"),
        (signature("material", "material description"), signature("material", "unrestricted")),
        {
            "sku": ("material",),
            "title": ("material description",),
            "quantity": ("unrestricted",),
            "warehouse": ("storage location",),
        },
        words=SAP,
    ),
)
