"""Forms: those that cannot be read get a name here and a sentence in `web`; amounts are read as people type them."""

from __future__ import annotations

import re
from typing import IO, Any
from urllib.parse import urlsplit

from flask import Request, current_app
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

PLAIN = "application/x-www-form-urlencoded"


class NameNotReadable(BadRequest):
    """The name of a file, or of a field, is not UTF-8."""


class FormDamaged(BadRequest):
    """The form ends too early, or is no form at all."""


class FormTooLong(RequestEntityTooLarge):
    """The fields of a form hold more than we read; files have a limit of their own."""


class Parser(FormDataParser):
    """Reads forms as the framework does, but says what was wrong instead of giving an empty form."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"silent": False})
        self._opened: list[IO[bytes]] = []
        self._open, self.stream_factory = self.stream_factory, self._note_and_open

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Stream, fields and files; raises one of the errors above, and keeps no half of a file then."""
        most = self.max_form_memory_size
        if mimetype == PLAIN and most is not None and (content_length or 0) > most:
            raise FormTooLong  # the framework would read it whole, as large as files may be
        try:
            return super().parse(stream, mimetype, content_length, options)
        except (RequestEntityTooLarge, ValueError) as error:
            for file in self._opened:
                file.close()
            raise self._named(error, mimetype, content_length or 0) from None

    def _named(self, error: Exception, mimetype: str, length: int) -> Exception:
        if isinstance(error, RequestEntityTooLarge):
            whole = self.max_content_length
            return error if whole is not None and length > whole else FormTooLong()
        named = isinstance(error, UnicodeDecodeError) and mimetype != PLAIN  # there, only names are read strictly
        return NameNotReadable() if named else FormDamaged()

    def _note_and_open(self, *args: Any, **options: Any) -> IO[bytes]:
        self._opened.append(self._open(*args, **options))
        return self._opened[-1]


class FormRequest(Request):
    """A request whose form is read by `Parser`."""

    form_data_parser_class = Parser


_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}(?P<mark>[.,])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?P<rest>(?!(?P=mark))[.,][0-9]{1,4})?"
)
_WITH_COMMA = re.compile(r"(?:0|[0-9]{1,12}(?=,[0-9]{1,2}$|,[0-9]{4}$)),[0-9]{1,4}")
#: A plain amount, or nothing. Three places stand after a zero only: “1.299” is thirteen hundred to half the world.
AMOUNT = re.compile(r"(?:0\.[0-9]{1,4}|[0-9]{1,12}(?:\.(?:[0-9]{1,2}|[0-9]{4}))?)?")


def plain_amount(text: str | None) -> str:
    """An amount as people type it (“1,299.00”, “1.299,00”, “$34,5”) as digits with a point, for AMOUNT to accept.

    What can be read in two ways is left as it is, to be refused.
    """
    typed = (text or "").strip().lstrip("$€£").strip()
    if _WITH_COMMA.fullmatch(typed):
        return typed.replace(",", ".")
    grouped = _GROUPED.fullmatch(typed)
    if grouped and (grouped["rest"] or typed.count(grouped["mark"]) > 1):
        rest = grouped["rest"] or ""
        return typed[: len(typed) - len(rest)].replace(grouped["mark"], "") + rest.replace(",", ".")
    return typed


def page_of(request: Request) -> str:
    """The page that a form or a piece was sent from, to come back to; the overview when the browser does not tell.

    A page that only a POST shows is none: it cannot be opened again.
    """
    asked = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    if asked.netloc != request.host:
        return "/"
    path = asked.path.removeprefix(request.script_root)
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return "/"
    return f"{path}?{asked.query}" if asked.query else path
