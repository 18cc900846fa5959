"""The grid of variants: what it proposes, what it only names, and what one act makes of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from webapp.models import Link, LinkBatch, ListingState
from webapp.services import families, links, suggestions
from webapp.services.families import Standing

COLOURS, SIZES = ("Sage", "Sand"), ("500 ml", "750 ml")


@pytest.fixture
def family(make):
    """Four variants of a bottle on both sides, the first of them linked."""

    def build(*, parent="B0PARENT", many=False, linked=True):
        channel = make.channel("Amazon", many=many)
        ours, theirs = {}, {}
        for colour in COLOURS:
            for size in SIZES:
                key = f"{colour} {size}"
                title = f"Nomad bottle {size}, {colour}"
                ours[key] = make.product(
                    f"NB-{key}", title=title, base_sku="NB", options={"Colour": colour, "Size": size}
                )
                values = {"Color": colour.upper(), "Talla": size.replace(" ", "")}
                theirs[key] = make.listing(
                    f"AMZ-{key}", channel=channel, title=f"NOMAD {title}", parent_id=parent, options=values
                )
        if linked:
            make.link(ours["Sage 500 ml"], theirs["Sage 500 ml"])
        return SimpleNamespace(channel=channel, ours=ours, theirs=theirs, first=theirs["Sage 500 ml"])

    return build


def standings(grid):
    return {v.listing.sku.removeprefix("AMZ-"): v.standing.value for v in grid.variants}


def test_after_one_variant_is_linked_the_others_are_proposed(session, family):
    f = family()
    grid = families.offer(session, f.first, f.channel)
    assert (grid.others, grid.products, grid.more) == (3, 3, False)
    assert standings(grid) == {
        "Sage 500 ml": "linked", "Sage 750 ml": "fits", "Sand 500 ml": "fits", "Sand 750 ml": "fits",
    }  # fmt: skip
    assert {v.listing.sku[4:]: sorted(v.turns) for v in grid.variants} == {
        "Sage 500 ml": [], "Sage 750 ml": ["750ml"], "Sand 500 ml": ["SAND"], "Sand 750 ml": ["750ml", "SAND"],
    }  # fmt: skip
    assert [p.sku for p in grid.spare] == ["NB-Sage 750 ml", "NB-Sand 500 ml", "NB-Sand 750 ml"]


def test_before_the_first_link_a_pair_that_fits_speaks_for_its_family(session, family):
    f = family(linked=False)
    grid = families.offer(session, f.first, f.channel, f.ours["Sage 500 ml"].id)
    assert (grid.others, set(standings(grid).values())) == (3, {"fits"})
    assert families.offer(session, f.first, f.channel, f.ours["Sand 500 ml"].id) is None
    assert families.offer(session, f.first, f.channel) is None


def test_a_variant_with_a_wrong_suggestion_is_offered_the_grid_of_one_that_is_linked(session, family):
    f = family()
    grid = families.offer(session, f.theirs["Sand 750 ml"], f.channel, f.ours["Sage 750 ml"].id)
    assert grid.listing.id == f.first.id


def test_without_parents_a_family_is_told_by_suggestions_options_and_title(session, make, family, context):
    f = family(parent="")
    stranger = make.listing(
        "AMZ-KIDS", channel=f.channel, title="NOMAD kids bottle", options={"Color": "Sage", "Talla": "750 ml"}
    )
    bare = make.listing("AMZ-BARE", channel=f.channel, title="NOMAD Nomad bottle")
    waiting = [x for x in f.theirs.values() if x.id != f.first.id]
    assert families.grid(session, f.first, f.channel) is None
    index = context.extensions["pairbook_index"]
    suggestions.keep(session, suggestions.suggest_for(session, [x.id for x in (*waiting, stranger, bare)], index))
    grid = families.grid(session, f.first, f.channel)
    assert standings(grid).keys() == {v.sku[4:] for v in f.theirs.values()}
    assert grid.others == 3


def test_what_cannot_be_proposed_is_named(session, make, family, bob):
    f = family()
    make.link(f.ours["Sage 750 ml"], make.listing("X", channel=f.channel))
    links.reject(session, [links.Pair(f.theirs["Sand 500 ml"].id, f.ours["Sand 500 ml"].id)], by=bob)
    links.set_aside(session, [f.theirs["Sand 750 ml"].id], ListingState.NO_MATCH, by=bob)
    for sku, options in (
        ("Plum", {"Color": "Plum", "Talla": "500ml"}),
        ("Again", {"Color": "Sage", "Talla": "1 l"}),
        ("Twice", {"Color": "Sage", "Talla": "1l"}),
        ("Title", {"Color": "Sand"}),
    ):
        make.listing(sku, channel=f.channel, title="Nomad, 950 ml", parent_id="B0PARENT", options=options)
    for sku, colour, size in (("A", "Sage", "1 l"), ("B", "Sand", "950 ml")):
        make.product(sku, base_sku="NB", options={"Colour": colour, "Size": size})
    grid = families.grid(session, f.first, f.channel)
    assert standings(grid) == {
        "Sage 500 ml": "linked", "Sage 750 ml": "taken", "Sand 500 ml": "refused", "Sand 750 ml": "aside",
        "Plum": "none", "Again": "shared", "Twice": "shared", "Title": "close",
    }  # fmt: skip
    assert [v.listing.sku for v in grid.variants if v.open] == ["Title"]
    assert families.offer(session, f.first, f.channel) is None


def test_two_listings_may_share_a_product_where_the_channel_allows_it(session, make, family):
    f = family(many=True)
    again = {"Color": "Sage", "Talla": "500 ml"}
    twin = make.listing("TWIN", channel=f.channel, parent_id="B0PARENT", options=again)
    grid = families.grid(session, f.first, f.channel)
    assert next(v for v in grid.variants if v.listing.id == twin.id).standing is Standing.FITS


def test_another_gtin_is_left_to_a_person(session, make, family):
    f = family()
    f.ours["Sand 500 ml"].gtin, f.theirs["Sand 500 ml"].gtin = "4006381333931", "96385074"
    session.flush()
    grid = families.grid(session, f.first, f.channel)
    found = next(v for v in grid.variants if v.standing is Standing.DIFFERS)
    assert (found.listing.id, found.open, found.ticked) == (f.theirs["Sand 500 ml"].id, True, False)
    assert [e.field for e in found.against] == ["gtin"]


def test_a_product_without_a_base_has_no_grid(session, make):
    product, listing = make.product(options={"Size": "M"}), make.listing(parent_id="P", options={"Size": "M"})
    make.link(product, listing)
    assert families.grid(session, listing, make.channel()) is None
    assert families.grid(session, make.listing(), make.channel(), 999) is None


def test_linking_the_ticked_variants_is_one_act_that_is_taken_back_at_once(session, family, bob):
    f = family()
    ticked = {(f.theirs[k].id, f.ours[k].id) for k in ("Sage 750 ml", "Sand 500 ml", "Sand 750 ml")}
    change = families.link(session, f.first, f.channel, None, ticked, by=bob)
    assert (change.changed, change.refused, change.act.listing_id) == (3, [], f.first.id)
    rows = session.scalars(select(Link).where(Link.batch_id == change.act.id)).all()
    assert {(x.listing_id, x.product_id) for x in rows} == ticked
    assert all(x.score is not None for x in rows)
    links.undo(session, change.act.id, by=bob)
    assert families.grid(session, f.first, f.channel).others == 3


def test_a_pair_that_no_longer_holds_is_left_and_named(session, family, bob):
    f = family()
    stale = {
        (f.theirs["Sand 500 ml"].id, f.ours["Sage 750 ml"].id),
        (f.theirs["Sage 750 ml"].id, f.ours["Sage 750 ml"].id),
    }
    change = families.link(session, f.first, f.channel, None, stale, by=bob)
    assert change.changed == 1
    assert [r.message for r in change.refused] == ["AMZ-Sand 500 ml was changed meanwhile and left as it is."]
    before = session.scalars(select(LinkBatch.id)).all()
    assert families.link(session, f.first, f.channel, None, {(999, 1)}, by=bob) is None
    assert session.scalars(select(LinkBatch.id)).all() == before
