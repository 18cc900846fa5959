"""A catalogue and its marketplace listings as CSV files, the same bytes for the same numbers.

Each channel gets listings in an order unlike the catalogue's: of a hundred, 96 bear the SKU of a product, one
has no SKU, one nearly has a product's SKU, one repeats the SKU of another listing of its channel (so that
both are ambiguous), and one has a SKU that no product bears.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, gcd
from pathlib import Path

PRODUCT_COLUMNS = ("sku", "title", "brand", "gtin", "price", "currency", "quantity")
LISTING_COLUMNS = ("channel", "listing_id", "sku", "title", "brand", "gtin", "price", "quantity")
BRANDS = ("Almera", "Bowen", "Castor", "Dunlin", "Esker", "Fenwick", "Garrick", "Holm", "Isla", "Juniper")
THINGS = ("bottle", "mug", "lamp", "notebook", "backpack", "blanket", "kettle", "cable", "speaker", "scarf")
COLOURS = ("blue", "red", "black", "white", "green", "grey", "yellow", "brown")
SIZES = ("S", "M", "L", "XL", "500 ml", "750 ml", "1 l", "2 m")
EQUAL, BLANK, NEAR, REPEATED = range(96), 96, 97, 98  # of each hundred; what is left is a stranger


@dataclass(frozen=True)
class Size:
    """How many rows; no channel has more listings than there are products."""

    listings: int
    products: int

    @property
    def channels(self) -> int:
        """How many channels the listings need, each product having at most one of its own on each."""
        return max(1, ceil(self.listings / self.products))

    @property
    def linkable(self) -> int:
        """How many listings the exact rule links: equal ones whose SKU is not repeated."""
        return sum(_linkable(count) for count in self.shares)

    @property
    def shares(self) -> list[int]:
        """Listings of each channel."""
        share, rest = divmod(self.listings, self.channels)
        return [share + (i < rest) for i in range(self.channels)]


def channel_name(number: int) -> str:
    """The name of a channel, counted from 0."""
    return f"Market {number + 1}"


def sku_of(number: int) -> str:
    """The SKU of a product, counted from 0."""
    return f"{THINGS[number % 10][:3].upper()}-{number:07d}-{COLOURS[number % 8][:2].upper()}"


def product_rows(size: Size) -> Iterator[tuple[str, ...]]:
    """The catalogue."""
    for i in range(size.products):
        yield sku_of(i), title_of(i), BRANDS[i % 10], _gtin(i), _price(i), "USD", str(i % 90)


def listing_rows(size: Size) -> Iterator[tuple[str, ...]]:
    """The listings of all channels, shuffled within each by a fixed permutation."""
    for channel, count in enumerate(size.shares):
        step = _coprime(count)
        for place in range(count):
            i = (place * step + channel * 7) % count
            yield (
                channel_name(channel), f"L{channel}{i:07d}", _listing_sku(i), title_of(i), BRANDS[i % 10],
                _gtin(i), _price(i + 3), str((i + 5) % 90),
            )  # fmt: skip


def write(folder: Path, size: Size) -> tuple[Path, Path]:
    """Write products.csv and listings.csv into the folder; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    products, listings = folder / "products.csv", folder / "listings.csv"
    for path, columns, rows in (
        (products, PRODUCT_COLUMNS, product_rows(size)),
        (listings, LISTING_COLUMNS, listing_rows(size)),
    ):
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(columns)
            writer.writerows(rows)
    return products, listings


def _listing_sku(i: int) -> str:
    kind = i % 100
    if kind in EQUAL:
        return sku_of(i)
    if kind == BLANK:
        return ""
    if kind == NEAR:
        return sku_of(i).replace("-", "").lower()
    return sku_of(i - REPEATED) if kind == REPEATED else f"X{i:08d}"


def _linkable(count: int) -> int:
    """Of the first `count` of the pattern: equal ones but those that a later one repeats."""
    hundreds, rest = divmod(count, 100)
    return hundreds * (len(EQUAL) - 1) + min(rest, len(EQUAL)) - (rest > REPEATED)


def title_of(i: int) -> str:
    """The title of a product, counted from 0, and of its listings."""
    return f"{BRANDS[i % 10]} {THINGS[i // 10 % 10]} {COLOURS[i // 100 % 8]} {SIZES[i // 800 % 8]} No. {i}"


def _gtin(i: int) -> str:
    """A GTIN-13 with its check digit (GS1 General Specifications, section 7.9)."""
    body = f"{200_000_000_000 + i:012d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _price(i: int) -> str:
    return f"{5 + i % 190}.{i % 100:02d}"


def _coprime(count: int) -> int:
    """A step near the golden section that visits every place once."""
    step = max(1, int(count * 0.618))
    while gcd(step, count) != 1:
        step += 1
    return step


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=50_000)
    parser.add_argument("--products", type=int, default=25_000)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    for path in write(given.folder, Size(given.listings, given.products)):
        print(path)


if __name__ == "__main__":
    main()
