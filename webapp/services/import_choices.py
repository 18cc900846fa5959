"""What a person chooses about a file before it is imported: how it is read, which column is what, and presets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import importers
from webapp.errors import Conflict, Refused, phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.channels import Channel
from webapp.models.imports import ImportJob, ImportKind, ImportPreset, ImportState
from webapp.services import audit, imports

OPEN = {ImportState.CHECKED, ImportState.REFUSED, ImportState.CHECKING}
KEPT = (
    "mapping",
    "decimal",
    "add_zeros",
)  # of the options, what a preset remembers


def choose(
    session: Session, job_id: int, options: importers.Options, *, kind: ImportKind, channel: Channel | None
) -> ImportJob:
    """Have a file checked again as the person says it is to be read; raises Conflict once its import has begun."""
    job = imports.get(session, job_id, lock=True)
    if job.state not in OPEN:
        raise Conflict(phrase("This import has begun already. Its columns can no longer be changed."))
    job.options, job.kind, job.channel_id = asdict(options), kind, channel.id if channel else None
    job.state, job.report, job.rows_ok = ImportState.CHECKING, {}, 0
    job.lease_until = utc_now() + imports.CHECK_LEASE
    session.flush()
    return job


def changed_mapping(report: Mapping[str, Any], posted: Mapping[str, str]) -> dict[str, str] | None:
    """Header to field for what a person chose: columns that differ from what was found out, and those chosen before.

    `posted` is the field of every column by header ("" leaves it out); None when nothing was chosen.
    """
    chosen: dict[str, str] = {}
    for column in report.get("mapping", ()):
        header = column["header"]
        if header in posted and (column["why"] == "chosen" or posted[header] != column["field"]):
            chosen.setdefault(header, posted[header])
    return chosen or None


def save_preset(session: Session, job: ImportJob, name: str, *, by: Actor) -> ImportPreset:
    """Keep the columns of a checked file under a name; a name in use is written over.

    Raises Refused for an empty or overlong name, Conflict while nothing is known about the columns.
    """
    name = " ".join(name.split())
    if not name or len(name) > 80:
        raise Refused(phrase("Type a name of at most 80 characters, such as “Amazon report”."))
    columns = job.report.get("mapping", [])
    if not columns:
        raise Conflict(phrase("The columns of this file are not known yet. Wait for the check, then save them."))
    preset = session.scalar(select(ImportPreset).where(ImportPreset.name == name))
    if preset is None:
        preset = ImportPreset(name=name)
        session.add(preset)
    preset.kind, preset.headers = job.kind, digest([c["header"] for c in columns])
    kept = {c["header"]: c["field"] for c in columns if c["header"]}
    preset.mapping = {"mapping": kept} | {name: job.options.get(name) for name in KEPT[1:]}
    session.flush()
    words = phrase("Saved the columns “{name}”.", name=name)
    audit.record(session, by, "import.preset_saved", f"preset {name}", words)
    return preset


def recall(session: Session, job: ImportJob, uploads: Path) -> ImportPreset | None:
    """Take over the columns that were saved for files with the same headers, unless some were chosen already."""
    known = session.scalar(select(ImportPreset.id).where(ImportPreset.kind == job.kind).limit(1))
    if known is None or job.options.get("mapping"):
        return None
    head = importers.preview(uploads / job.stored_as, kind=job.kind.value, options=options_of(job))
    preset = preset_for(session, job.kind, head.headers)
    if preset is not None:
        job.options = {**job.options, **{name: preset.mapping.get(name) for name in KEPT}}
        session.flush()
    return preset


def preset_for(session: Session, kind: ImportKind, headers: Sequence[str]) -> ImportPreset | None:
    """The newest preset for files of this kind with exactly these headers."""
    if not headers:
        return None
    same = (ImportPreset.kind == kind, ImportPreset.headers == digest(headers))
    return session.scalar(select(ImportPreset).where(*same).order_by(ImportPreset.id.desc()).limit(1))


def options_of(job: ImportJob) -> importers.Options:
    """The options of a job as the importers take them."""
    names = {field.name for field in fields(importers.Options)}
    return importers.Options(**{name: value for name, value in job.options.items() if name in names})


def recent(session: Session, *, limit: int = 20) -> list[ImportJob]:
    """The newest imports, newest first."""
    return list(session.scalars(select(ImportJob).order_by(ImportJob.id.desc()).limit(limit)))


def digest(headers: Sequence[str]) -> str:
    """The same text for the same headers in the same order; case and spaces do not count."""
    plain = [" ".join(header.split()).casefold() for header in headers]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()
