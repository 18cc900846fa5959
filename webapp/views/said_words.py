"""The words for a decision that was made before the facts changed."""

from __future__ import annotations

from flask_babel import format_date
from flask_babel import gettext as _

from webapp import web
from webapp.models import Listing, ListingState
from webapp.services.refusals import Said
from webapp.translate import translated
from webapp.views.links import bp
from webapp.views.review_words import field_name


@bp.app_template_filter("said")
def sentence(said: Said, listing: Listing) -> str:
    """Who decided what and when, and what is another fact since then."""
    day, name = format_date(said.at, "long"), translated(said.by_name)
    if said.by_id is not None and said.by_id == web.actor().id:
        first = {
            ListingState.NO_MATCH: _("You said that no product matches, on %(day)s.", day=day),
            ListingState.IGNORED: _("You ignored this listing on %(day)s.", day=day),
        }.get(listing.state, _("You said no to this product on %(day)s.", day=day))
    else:
        first = {
            ListingState.NO_MATCH: _("%(name)s said that no product matches, on %(day)s.", name=name, day=day),
            ListingState.IGNORED: _("%(name)s ignored this listing on %(day)s.", name=name, day=day),
        }.get(listing.state, _("%(name)s said no to this product on %(day)s.", name=name, day=day))
    return f"{first} {_since(said)}"


def _since(said: Said) -> str:
    """What has changed on either side."""
    parts = []
    if said.listing:
        parts.append(_("Changed on the listing since: %(facts)s.", facts=_names(said.listing)))
    if said.product:
        parts.append(_("Changed on the product since: %(facts)s.", facts=_names(said.product)))
    return " ".join(parts)


def _names(fields: tuple[str, ...]) -> str:
    return ", ".join(_("MPN") if name == "mpn" else field_name(name) for name in fields)
