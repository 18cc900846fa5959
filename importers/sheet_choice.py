"""Which sheet of a workbook is read: the one a person names, or the first visible one."""

from __future__ import annotations

from importers.report import FileRefused, Sheet, shown
from importers.wording import phrase


def choose_sheet(sheets: tuple[Sheet, ...], wanted: str | None) -> tuple[Sheet, list[tuple[str, str]]]:
    """The sheet to read, and doubts about the choice as (code, message).

    Raises:
        FileRefused: unknown_value for a sheet that is not there, empty when no sheet can be seen.
    """
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if wanted is not None:
        return _named(sheets, wanted)
    if not visible:
        said = phrase("The file has no visible sheet. Show the sheet that holds the data, and save it.")
        raise FileRefused("empty", said)
    doubts = []
    if len(visible) > 1:
        names = ", ".join(shown(sheet.name) for sheet in visible)
        said = phrase(
            "The file has {count} sheets ({names}); {sheet} is read.",
            count=len(visible), names=names, sheet=shown(visible[0].name),
        )  # fmt: skip
        doubts.append(("several_sheets", said))
    return visible[0], doubts


def _loosely(name: str) -> str:
    return " ".join(name.casefold().split())


def _named(sheets: tuple[Sheet, ...], wanted: str) -> tuple[Sheet, list[tuple[str, str]]]:
    for same in (str, _loosely):
        for sheet in sheets:
            if same(sheet.name) == same(wanted):
                said = phrase("The sheet {sheet} is hidden in the file.", sheet=shown(sheet.name))
                return sheet, [("hidden_sheet", said)] if sheet.hidden else []
    names = ", ".join(shown(sheet.name) for sheet in sheets)
    said = phrase("The file has no sheet “{sheet}”. Choose one of: {names}.", sheet=shown(wanted), names=names)
    raise FileRefused("unknown_value", said)
