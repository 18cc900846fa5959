"""Which column holds which field: what a person chose, a preset knows or a header says, each with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from importers.fields import FIELDS, KIND_FIELDS, REQUIRED, field_of, is_field
from importers.report import Column, FileRefused, Kind, shown
from importers.vocabulary import BY_RULE, forms, normalise, recognise, recognise_weakly
from importers.wording import phrase

Why = Literal["chosen", "preset", "recognised", "ignored", "duplicate"]
_LONGEST_NAME = 100  # characters
_NUMERIC = ("quantity", "price")
_EXPLAIN = {
    "chosen": phrase("You chose it."),
    "preset": phrase("Known from this export."),
    "recognised": phrase("Recognised by its header."),
}
#: What is worth taking from a column that the preset does not name.
_BY_WORDS = frozenset({"sku", "title", "quantity", "price", "currency", "gtin", "mpn", "brand"})
#: What a column may say weakly, and the kinds of file in which that is better than nothing.
_WEAKLY: dict[str, tuple[Kind, ...]] = {
    "sku": ("products", "stock", "links"),
    "price": ("products", "stock", "listings"),
}


def guess_mapping(
    headers: Sequence[str],
    kind: Kind,
    *,
    chosen: Mapping[str, str] | None = None,
    preset: Mapping[str, Sequence[str]] | None = None,
    samples: Sequence[Sequence[str]] = (),
    row: int = 1,
) -> tuple[Column, ...]:
    """One Column per header, in order.

    chosen: header to field ("" leaves it out), which wins. preset: field to normalised headers, best first; without a
    preset, headers are recognised by their words. samples: values of each column, repeated in the answer. row: the row
    of the headers, for messages.

    Raises:
        FileRefused: duplicate_header when two columns claim one field; unknown_value for a choice that does not exist.
    """
    picks = _chosen(headers, kind, chosen or {})
    claims: dict[str, list[tuple[int, int, Why]]] = defaultdict(list)
    for index, header in enumerate(headers):
        if index in picks:
            if picks[index]:
                claims[picks[index]].append((-1, index, "chosen"))
        elif found := _known(header, kind, preset):
            field, rank, why = found
            claims[field].append((rank, index, why))
    if preset is not None:
        _add_by_words(claims, headers, kind, picks)
    else:
        _add_weak(claims, headers, kind, picks)
        _take_as_title(claims, kind, samples)
    winners = {field: _winner(field, claimed, headers, row) for field, claimed in claims.items()}
    return tuple(
        _column(index, header, claims, winners, samples[index] if index < len(samples) else ())
        for index, header in enumerate(headers)
    )


def _add_by_words(
    claims: dict[str, list[tuple[int, int, Why]]], headers: Sequence[str], kind: Kind, picks: Mapping[int, str]
) -> None:
    """Give a known export's other columns to the fields nobody claims, each where one column alone says it in words.

    Exports change, and people add columns: a price shall not be left out because its header is a new one. Other fields
    are too easily taken for what they are not: the “Type” of a WooCommerce export is no category.
    """
    taken = {index for claimed in claims.values() for _, index, _ in claimed} | set(picks)
    said: dict[str, list[int]] = defaultdict(list)
    for index, header in enumerate(headers):
        if index not in taken and (found := recognise(header, KIND_FIELDS[kind], kind)):
            said[found[0]].append(index)
    for field, places in said.items():
        if field in _BY_WORDS and field not in claims and len(places) == 1:
            claims[field].append((0, places[0], "recognised"))


def _add_weak(
    claims: dict[str, list[tuple[int, int, Why]]], headers: Sequence[str], kind: Kind, picks: Mapping[int, str]
) -> None:
    """Give fields that nobody claims to a column that says them weakly: a “Part number” where there is no SKU."""
    for field in _WEAKLY:
        if field in claims or kind not in _WEAKLY[field]:
            continue
        kept = {place for name, claimed in claims.items() if name != "mpn" for _, place, _ in claimed} | set(picks)
        said = [
            (rank, place)
            for place, header in enumerate(headers)
            if place not in kept and (rank := recognise_weakly(header, field)) is not None
        ]
        if not said or (field in _NUMERIC and len(said) > 1):
            continue
        claims[field] = [(rank, place, "recognised") for rank, place in said]
        others = [claim for claim in claims.pop("mpn", []) if claim[1] != min(said)[1]]
        if others:
            claims["mpn"] = others


def _take_as_title(claims: dict[str, list[tuple[int, int, Why]]], kind: Kind, samples: Sequence[Sequence[str]]) -> None:
    """In a file without titles a short description is one: that is what ERPs call the name of an article."""
    if kind != "products" or "title" in claims or len(claims.get("description", ())) != 1:
        return
    _, place, why = claims["description"][0]
    texts = samples[place] if place < len(samples) else ()
    if why == "recognised" and texts and all(len(text) <= _LONGEST_NAME and "<" not in text for text in texts):
        claims["title"] = claims.pop("description")


def _chosen(headers: Sequence[str], kind: Kind, chosen: Mapping[str, str]) -> dict[int, str]:
    picks: dict[int, str] = {}
    for name, field in chosen.items():
        places = [index for index, header in enumerate(headers) if header == name]
        places = places or [index for index, header in enumerate(headers) if normalise(header) == normalise(name)]
        if not places:
            said = phrase("The file has no column “{column}”.", column=shown(name))
            raise FileRefused("unknown_value", said, column=shown(name))
        if field and not is_field(field, kind):
            names = ", ".join(KIND_FIELDS[kind])
            said = phrase(
                "“{field}” is no field of {kind}. Choose one of: {names}.", field=shown(field), kind=kind, names=names
            )
            raise FileRefused("unknown_value", said)
        picks.update(dict.fromkeys(places, field))
    return picks


def _known(header: str, kind: Kind, preset: Mapping[str, Sequence[str]] | None) -> tuple[str, int, Why] | None:
    if preset is None:
        found = recognise(header, KIND_FIELDS[kind], kind)
        return (*found, "recognised") if found else None
    for field, names in preset.items():
        for form in forms(header):
            if form in names and field in KIND_FIELDS[kind]:
                return field, list(names).index(form), "preset"
    return None


def _winner(field: str, claimed: list[tuple[int, int, Why]], headers: Sequence[str], row: int) -> int:
    claimed.sort()
    best = [claim for claim in claimed if claim[2] == claimed[0][2]]
    # A listed word beats what only a rule reads: “Price” is the price although “Price incl. VAT” stands beside it.
    by_word = len(best) > 1 and claimed[0][2] == "recognised" and best[1][0] < BY_RULE
    same_name = len(best) > 1 and normalise(headers[best[0][1]]) == normalise(headers[best[1][1]])
    if len(best) > 1 and (best[0][0] == best[1][0] or same_name or (by_word and field in _NUMERIC)):
        first, second = (shown(headers[index]) for _, index, _ in best[:2])
        said = phrase(
            "{field} is chosen for two columns: {first} and {second}. Keep one, and leave the other out.",
            field=field_of(field).title, first=first, second=second,
        )  # fmt: skip
        raise FileRefused("duplicate_header", said, row=row, column=second)
    return claimed[0][1]


def _column(
    index: int,
    header: str,
    claims: Mapping[str, list[tuple[int, int, Why]]],
    winners: Mapping[str, int],
    samples: Sequence[str],
) -> Column:
    for field, claimed in claims.items():
        for _, place, why in claimed:
            if place != index:
                continue
            if winners[field] == index:
                return Column(header, field, why, _EXPLAIN[why], tuple(samples))
            said = phrase("Left out: {label} is taken from another column.", label=field_of(field).label)
            return Column(header, "", "duplicate", said, tuple(samples))
    said = phrase("Left out: no field of this kind has this name.")
    return Column(header, "", "ignored", said, tuple(samples))


def count_recognised(headers: Sequence[str], kind: Kind, preset: Mapping[str, Sequence[str]] | None = None) -> int:
    """How many fields the cells of a row would name if it were the row of headers."""
    found = (_known(header, kind, preset) for header in headers if header)
    return len({claim[0] for claim in found if claim})


def refuse_missing(
    columns: Sequence[Column], kind: Kind, *, row: int, looks_like_data: bool, is_text: bool = False
) -> None:
    """Raises FileRefused (missing_column) when a field is missing that rows of this kind cannot do without.

    is_text: the cells were cut apart at a delimiter, which may have been another one.
    """
    have = {column.field for column in columns if column.field}
    for group in REQUIRED[kind]:
        if have.intersection(group) or (kind == "products" and "sku" not in group and have - {"sku"}):
            continue
        uncut = is_text and len(columns) == 1 and not have
        others = any(column.header and not column.field for column in columns)
        said = _one_column(columns) if uncut else _missing(kind, group, looks_like_data, others)
        raise FileRefused("missing_column", said, row=row, column=group[0])


def _one_column(columns: Sequence[Column]) -> str:
    return phrase(
        "The file has one column only, “{column}”. If it has more, choose the delimiter that stands between its cells.",
        column=shown(columns[0].header),
    )


def _missing(kind: Kind, group: tuple[str, ...], looks_like_data: bool, others: bool) -> str:
    if looks_like_data:
        return phrase("The first row looks like data. Add a row of headers above it, or choose the columns by hand.")
    if group == ("sku",):
        return phrase("Choose the column that holds the SKU. Without it no row can be told from another.")
    if kind == "products" and others:
        return phrase("Only the SKU was recognised. Choose the columns that hold the title, the price or the quantity.")
    if kind == "products":
        return phrase(
            "The file has SKUs only, so there is nothing to change. Add a column such as title, price or quantity."
        )
    first, second = (FIELDS[name].label for name in group)
    return phrase("Choose the column that holds the {first} or the {second}.", first=first, second=second)
