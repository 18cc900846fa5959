"""The words of the overview: what needs a person, what somebody did, what came of a sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from webapp.models import BatchVerb, ImportJob, RunState
from webapp.services import overview
from webapp.translate import translated

Chip = tuple[str, str, str]  # kind, icon, words


@dataclass(frozen=True)
class Line:
    """One need: colour and icon, what it is, what it means, and the button that leads to its repair."""

    kind: str
    icon: str
    title: str
    detail: str
    url: str = ""
    button: str = ""


def need(found: overview.Need) -> Line:
    """A need in words."""
    if found.what in {"broken", "held", "paused", "no_worker"}:
        return _stopped(found)
    if found.job is not None:
        return _import(found, found.job)
    return _decisions(found)


def _stopped(found: overview.Need) -> Line:
    """Why nothing, or not everything, is sent."""
    name, url = found.channel.name if found.channel else "", maybe("channels.index")
    if found.what == "broken":
        title = _("%(channel)s does not take updates", channel=name)
        return Line("bad", "circle-x", title, translated(found.reason), url, _("Connect again"))
    if found.what == "held":
        title = _("%(channel)s is held", channel=name)
        return Line("bad", "circle-alert", title, translated(found.reason), url, _("Look"))
    if found.what == "paused":
        detail = _("Nothing is sent there until somebody resumes it")
        return Line("warn", "triangle-alert", _("%(channel)s is paused", channel=name), detail, url, _("Open"))
    detail = _("Start “pairbook run” or “pairbook worker” on the server")
    return Line("bad", "circle-alert", _("Updates wait and no worker runs"), detail)


def _import(found: overview.Need, job: ImportJob) -> Line:
    """An import that stopped, or that nobody confirmed."""
    name, job_id = job.file_name, job.id
    if found.what == "failed_import":
        title, detail = _("The import of %(file)s stopped", file=name), translated(found.reason)
        return Line("bad", "file-spreadsheet", title, detail, url_for("imports.done", job_id=job_id), _("Open"))
    n = format_decimal(found.n)
    detail = ngettext("%(n)s row, nothing is saved yet", "%(n)s rows, nothing is saved yet", found.n, n=n)
    title = _("%(file)s waits to be imported", file=name)
    return Line("warn", "file-spreadsheet", title, detail, url_for("imports.detail", job_id=job_id), _("Look"))


def _decisions(found: overview.Need) -> Line:
    """Listings that wait for somebody, on one channel."""
    channel, n = found.channel, format_decimal(min(found.n, found.cap)) + "+" * (found.n > found.cap)
    if found.what == "waiting":
        n = format_decimal(found.n)  # a number that is kept
    name, here = (channel.name, {"channel": channel.name}) if channel else (_("All channels"), {})
    if found.what == "refused":
        title = ngettext(
            "%(n)s listing refused the last update", "%(n)s listings refused the last update", found.n, n=n
        )
        url = maybe("propagation.history", **here) or maybe("links.pairs", **here)
        return Line("bad", "circle-alert", title, f"{name}: {translated(found.reason)}", url, _("Fix"))
    if found.what == "suspicious":
        title = ngettext("%(n)s pair contradicts itself", "%(n)s pairs contradict themselves", found.n, n=n)
        detail = _("Another GTIN, pack, size, option or a price far off")
        return Line("warn", "equal-not", title, detail, maybe("links.pairs", show="suspicious"), _("Check"))
    if found.what == "changed":
        title = ngettext("%(n)s listing set aside has changed", "%(n)s listings set aside have changed", found.n, n=n)
        detail = _("%(channel)s: decided before its facts changed", channel=name)
        return Line("warn", "history", title, detail, maybe("links.review", state="changed", **here), _("Look"))
    if found.what == "near":
        title = ngettext("%(n)s SKU is nearly the same", "%(n)s SKUs are nearly the same", found.n, n=n)
        detail = _("%(channel)s: other case, dashes, spaces or zeros", channel=name)
        return Line("warn", "equal-approximately", title, detail, maybe("links.near", **here), _("Check"))
    if found.what == "sure":
        title = ngettext("%(n)s suggestion scores 95 or more", "%(n)s suggestions score 95 or more", found.n, n=n)
        return Line("ok", "inbox", title, name, maybe("links.review", score="95-", **here), _("Review"))
    title = ngettext("%(n)s listing waits for review", "%(n)s listings wait for review", found.n, n=n)
    return Line("", "inbox", title, name, maybe("links.review", **here), _("Review"))


def act_words(act: overview.Act) -> Chip:
    """What somebody did, as a chip."""
    verbs: dict[BatchVerb, Chip] = {
        BatchVerb.RECONCILE: ("ok", "check", _("Linked")),
        BatchVerb.LINK: ("ok", "check", _("Linked")),
        BatchVerb.IMPORT: ("ok", "check", _("Linked")),
        BatchVerb.ADD: ("acc", "plus", _("Added")),
        BatchVerb.REJECT: ("", "x", _("Rejected")),
        BatchVerb.NO_MATCH: ("", "x", _("No match")),
        BatchVerb.IGNORE: ("", "minus", _("Ignored")),
        BatchVerb.RULE: ("ok", "sliders-horizontal", _("By the rule")),
        BatchVerb.UNLINK: ("bad", "unlink", _("Unlinked")),
        BatchVerb.UNSYNC: ("bad", "unlink", _("Unsynced")),
        BatchVerb.REOPEN: ("", "circle-dashed", _("Waiting")),
        BatchVerb.KEEP: ("ok", "check", _("Kept")),
        BatchVerb.UNDO: ("", "history", _("Undone")),
    }
    return verbs.get(act.batch.verb, ("", "minus", act.batch.verb.value))


def run_words(state: RunState) -> Chip:
    """What came of a round of sending."""
    return {
        RunState.RUNNING: ("acc", "loader", _("Running")),
        RunState.DONE: ("ok", "check", _("Done")),
        RunState.PARTLY: ("warn", "triangle-alert", _("Partly")),
        RunState.FAILED: ("bad", "circle-x", _("Failed")),
    }[state]


def maybe(endpoint: str, **values: Any) -> str:
    """The address of a screen, or nothing when it is not there."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""
