"""Channels without an API: each push writes an upload file that a person takes to the marketplace."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import (
    Kind,
    Limits,
    Option,
    Outcome,
    Status,
    Update,
    folder_ready,
    refuse,
    require_aware,
    screen,
    slug,
)
from connectors.sheets import FORMATS, Format
from connectors.wording import phrase

# A worksheet ends at row 1,048,576 and marketplaces take far less in one upload.
LARGEST_FILE = 100_000
MERCHANT, AMAZON = "merchant", "amazon"


class FileConnector:
    """Writes updates into a file of the chosen format; `written` is the path of the newest one."""

    kind = "file"
    sends_price = True
    limits = Limits(max_batch=LARGEST_FILE, seconds=120.0)

    def __init__(self, channel: str, options: Mapping[str, str], folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._format: Format = FORMATS[options.get("format") or "csv"]
        # A quantity in the file would turn stock that Amazon holds and ships into stock that we ship.
        self.sends_stock = (options.get("fulfilment") or MERCHANT) != AMAZON
        self.written: Path | None = None

    def push(self, updates: Sequence[Update], *, now: datetime) -> list[Outcome]:
        """One file per `limits.max_batch` updates, all there or not there at all; none when nothing can be written."""
        require_aware(now)
        offered = (
            updates if self.sends_stock else [replace(update, quantity=None, available=None) for update in updates]
        )
        sendable, settled = screen(offered)
        writable = []
        for position in sendable:
            why_not = self._format.why_not(offered[position])
            if why_not is None:
                writable.append(position)
            else:
                settled[position] = refuse(offered[position], "not_writable", why_not)
        for start in range(0, len(writable), self.limits.max_batch):
            positions = writable[start : start + self.limits.max_batch]
            outcomes = self._write([offered[position] for position in positions], now)
            settled.update(zip(positions, outcomes, strict=True))
        return [settled[position] for position in range(len(updates))]

    def look(self) -> str:
        """Whether a file can be written where the upload files go; it is taken away again."""
        try:
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder_ready(self._folder))
            try:
                os.write(handle, b"\0" * 4096)  # a full disk lets an empty file be made
            finally:
                os.close(handle)
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            return phrase(
                "No upload file can be written to {folder}: {reason}. Make room there, or let Pairbook write to it.",
                folder=self._folder, reason=error.strerror or error,
            )  # fmt: skip
        return ""

    def _write(self, updates: Sequence[Update], now: datetime) -> list[Outcome]:
        try:
            path = self._save(updates, now)
        except OSError as error:
            message = phrase("The upload file could not be written: {reason}.", reason=error.strerror or error)
            return [Outcome(update.listing_id, Status.FAILED, "not_written", message) for update in updates]
        self.written = path
        message = phrase("Written to {file}; upload it to the marketplace.", file=path.name)
        return [
            Outcome(update.listing_id, Status.ACCEPTED, "written", message, artifact=path.name) for update in updates
        ]

    def _save(self, updates: Sequence[Update], now: datetime) -> Path:
        """Write aside, sync, then give the name: whoever sees the file sees the whole of it."""
        folder = folder_ready(self._folder)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
        try:
            with os.fdopen(handle, "wb") as out:
                self._format.write(out, updates)
                out.flush()
                os.fsync(out.fileno())
            path = self._claim(Path(name), now)
        finally:
            Path(name).unlink(missing_ok=True)
        _sync_folder(folder)
        return path

    def _claim(self, written: Path, now: datetime) -> Path:
        """Name the file after channel and time. A hard link fails where a name is taken, so two runs of the same
        instant get two files, and neither ever replaces a file that somebody may have uploaded."""
        stem = f"{slug(self._channel)}-{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
        number = 1
        while True:
            path = self._folder / f"{stem}{'' if number == 1 else f'-{number}'}.{self._format.suffix}"
            try:
                _name(written, path)
                return path
            except FileExistsError:
                number += 1


def _name(written: Path, path: Path) -> None:
    """Give a finished file its name; raises FileExistsError when the name is taken."""
    try:
        path.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links (FAT, some network shares) still renames atomically.
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(written, path)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(options: Mapping[str, str]) -> list[str]:
    """What is wrong with the options beyond their choices, in words."""
    if options.get("fulfilment") == AMAZON and options.get("format") != "amazon_tsv":
        return [phrase("fulfilment: amazon goes with format amazon_tsv only.")]
    return []


def why_no_availability(options: Mapping[str, str]) -> str:
    """Why files with these options cannot say "in stock" without a number; "" when they can."""
    if FORMATS[options.get("format") or "csv"].tells_availability:
        return ""
    return phrase(
        "Amazon's price and quantity file has no column for “in stock or not”: send quantities, or choose the format "
        "csv or xlsx."
    )


KIND = Kind(
    name="file",
    title=phrase("Upload file"),
    summary=phrase("Writes a file for the marketplace's own upload page; needs no account and no API."),
    options=(
        Option(
            "format",
            phrase("File format"),
            phrase("What the marketplace reads."),
            default="csv",
            choices=tuple(FORMATS),
        ),
        Option(
            "fulfilment",
            phrase("Who ships"),
            phrase("With amazon (FBA) the quantity column stays blank, so that Amazon's own stock is not touched."),
            default=MERCHANT,
            choices=(MERCHANT, AMAZON),
        ),
    ),
    check=check,
)
