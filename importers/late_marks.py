"""Prices such as 1.234 that were read before a later row proved a decimal comma, and have two readings since.

The first rows tell how numbers are written in a file. Where only a later one shows a decimal comma, what was read until
then is looked at again, so that a value means the same wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from importers.amounts import PriceReader
from importers.cells import CellError
from importers.report import Problem
from importers.rows import Fields, RowReader
from importers.staging import Stage
from importers.tally import Tally
from importers.wording import phrase

_BEFORE_THREE = re.compile(r"\.[0-9]{3}\n")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")


def places_of_two_readings(cells: Sequence[Any], prices: Sequence[str | None]) -> list[int]:
    """The places of texts whose point stands before three digits, as it would in a thousand."""
    if not _BEFORE_THREE.search("\n".join([*filter(None, prices), ""])):
        return []
    return [
        place
        for place, (cell, price) in enumerate(zip(cells, prices, strict=True))
        if price and isinstance(cell, str) and _GROUPED.fullmatch(price) and f"0{price}" not in cell
    ]


def refuse_two_readings(reader: RowReader, stage: Stage, tally: Tally, key: str) -> None:
    """Takes the rows of `tally.two_readings` out again, each as a problem, if a decimal comma was seen after them.

    key: the field that tells a row.
    """
    price = next((read for _, _, read in reader.readers if isinstance(read, PriceReader)), None)
    if price is None or not (price.grammar.comma_seen and tally.two_readings):
        return

    def seen(number: int, fields: Fields) -> None:
        value = fields["price"]
        tally.bad_key(number, fields.get(key))
        tally.good -= 1
        tally.bad += 1
        try:
            price(value)
        except CellError as error:
            message = phrase("Row {row}: {problem}", row=number, problem=error.message)
            problem = Problem(number, reader.headers["price"], error.code, value, message)
            tally.error(problem)
            stage.problem(problem)

    stage.drop(set(tally.two_readings), seen)
