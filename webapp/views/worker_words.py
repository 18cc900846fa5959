"""What the screens say of work that waits for a worker."""

from __future__ import annotations

from flask_babel import gettext as _


def nobody() -> str:
    """No worker was heard of lately: what a person can do about it."""
    text = _("No worker runs. Start “pairbook run” or “pairbook worker” on the server; this goes on by itself then.")
    return str(text)


def stopped() -> str:
    """The one that was at it died: the next takes it when its lease is over."""
    text = _("The worker that was at it has stopped. It waits for another, and goes on by itself within a minute.")
    return str(text)


def queued() -> str:
    """All workers are busy with something else."""
    return str(_("It waits until a worker is free, and begins by itself."))
