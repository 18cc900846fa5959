"""Which sheet of a workbook is read: the one a person names, or the first visible one."""

from __future__ import annotations

from importers.report import FileRefused, Sheet, shown


def choose_sheet(sheets: tuple[Sheet, ...], wanted: str | None) -> tuple[Sheet, list[tuple[str, str]]]:
    """The sheet to read, and doubts about the choice as (code, message).

    Raises:
        FileRefused: unknown_value for a sheet that is not there, empty when no sheet can be seen.
    """
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if wanted is not None:
        return _named(sheets, wanted)
    if not visible:
        raise FileRefused("empty", "The file has no visible sheet. Show the sheet that holds the data, and save it.")
    doubts = []
    if len(visible) > 1:
        names = ", ".join(shown(sheet.name) for sheet in visible)
        doubts.append(
            ("several_sheets", f"The file has {len(visible)} sheets ({names}); {shown(visible[0].name)} is read.")
        )
    return visible[0], doubts


def _named(sheets: tuple[Sheet, ...], wanted: str) -> tuple[Sheet, list[tuple[str, str]]]:
    for same in (str, str.casefold):
        for sheet in sheets:
            if same(sheet.name) == same(wanted):
                doubt = [("hidden_sheet", f"The sheet {shown(sheet.name)} is hidden in the file.")]
                return sheet, doubt if sheet.hidden else []
    names = ", ".join(shown(sheet.name) for sheet in sheets)
    raise FileRefused("unknown_value", f"The file has no sheet “{shown(wanted)}”. Choose one of: {names}.")
