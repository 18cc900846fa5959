"""Answers of the built-in server, compressed where the browser takes it; a proxy in front may do the same.

Pages are compressed with the rest. Nothing secret stands on them unchanged from one answer to the next (the BREACH
attack needs that): the token of forms ends in a signature that is another one each second, their keys are drawn anew,
and requests from other sites carry no cookie of ours (`SameSite=Lax`). See docs/security.md.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from typing import Any

Headers = list[tuple[str, str]]
LEVEL = 5  # a page of fifty pairs, 90 KB: a tenth of its size, for a millisecond
LEAST = 860  # bytes: less fits into one packet anyway
MOST = 4 * 1024 * 1024  # bytes: longer answers, such as exports, are streamed as they are
KEPT = 32  # files that are kept compressed
KINDS = re.compile(r"text/(html|css|javascript|plain)|application/(javascript|json)|image/svg\+xml")
NO_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


class Compressing:
    """A WSGI application around another one."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._files: dict[tuple[str, str], bytes] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request; what is no short text, or not wanted so, goes through untouched."""
        begun: list[Any] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], Any]:
            fields = {name.lower(): value for name, value in headers}
            if not KINDS.match(fields.get("content-type", "")):
                write: Callable[[bytes], Any] = start_response(status, headers, exc_info)
                return write
            headers = [*headers, ("Vary", "Accept-Encoding")]
            if self._may(environ, status, fields):
                begun[:] = [status, headers, fields, exc_info]
                return lambda _data: None
            write = start_response(status, headers, exc_info)
            return write

        body = self._app(environ, start)
        if not begun:
            return body
        status, headers, fields, exc_info = begun
        with closing(body) if hasattr(body, "close") else nullcontext():  # type: ignore[type-var]
            small = self._compressed(environ, fields, b"".join(body))
        start_response(status, _as_gzip(headers, len(small)), exc_info)
        return [small]

    def _may(self, environ: dict[str, Any], status: str, fields: dict[str, str]) -> bool:
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "").lower()
        length = fields.get("content-length", "")
        return (
            "gzip" in accepted
            and not NO_GZIP.search(accepted)
            and environ["REQUEST_METHOD"] != "HEAD"
            and status[:3] not in {"204", "206", "304"}
            and "content-encoding" not in fields
            and length.isdecimal()
            and LEAST <= int(length) <= MOST
        )

    def _compressed(self, environ: dict[str, Any], fields: dict[str, str], whole: bytes) -> bytes:
        key = (environ.get("PATH_INFO", ""), fields.get("etag", ""))
        if "immutable" not in fields.get("cache-control", "") or not key[1]:
            return gzip.compress(whole, LEVEL, mtime=0)
        if key not in self._files:
            if len(self._files) >= KEPT:
                self._files.clear()
            self._files[key] = gzip.compress(whole, 9, mtime=0)
        return self._files[key]


def _as_gzip(headers: Headers, length: int) -> Headers:
    """The headers for the compressed answer; its mark is weak, since the same file has other bytes for others."""
    told = []
    for name, value in headers:
        if name.lower() == "etag" and not value.startswith("W/"):
            value = f"W/{value}"
        if name.lower() not in {"content-length", "accept-ranges"}:
            told.append((name, value))
    return [*told, ("Content-Encoding", "gzip"), ("Content-Length", str(length))]
