"""Files that are written for one visit: sent while they are read, and gone when that is over."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from flask import Response, send_file

from webapp import web


def download(write: Callable[[Path], object], name: str) -> Response:
    """Have `write` fill a file of our own in the uploads, and send it under `name`, whose suffix says its format."""
    path = web.settings().uploads / f"out-{secrets.token_hex(8)}{Path(name).suffix}"
    try:
        write(path)
        stream = path.open("rb")
    finally:
        path.unlink(missing_ok=True)  # the open file stays readable; nothing is left behind
    return send_file(stream, as_attachment=True, download_name=name)
