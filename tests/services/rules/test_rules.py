"""What a channel learns from decisions, and when its rule may link by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select

from matching import wilson_lower
from webapp.errors import Refused
from webapp.models import Decision, Link, LinkSource, Listing, ListingState, Suggestion
from webapp.models.accounts import RULE
from webapp.models.base import utc_now
from webapp.services import decisions, links, listings, rules
from webapp.services.links import Pair


@pytest.fixture
def suggested(session, make):
    """A waiting listing whose first suggestion is a new product: `suggested(96)` gives listing and product."""

    def build(score: int = 96, *, product=None, lead: int = 50, channel=None):
        product, listing = product or make.product(), make.listing(channel=channel)
        session.add(Suggestion(listing_id=listing.id, rank=1, product_id=product.id, score=score, evidence=[]))
        other = make.product()
        session.add(Suggestion(listing_id=listing.id, rank=2, product_id=other.id, score=score - lead, evidence=[]))
        listing.place = 100 - score
        session.flush()
        return listing, product

    return build


def decided(session, make, *, right: int, wrong: int = 0, score: int = 96) -> None:
    """So many decisions on suggestions of one score, all by the tables: fifty clicks would take seconds."""
    channel, product = make.channel(), make.product()
    rows = [{"channel": channel.name, "listing_id": f"D-{score}-{n}"} for n in range(right + wrong)]
    ids = listings.upsert_listings(session, rows, {channel.name: channel}).ids.values()
    same = {"product_id": product.id, "channel_id": channel.id, "score": score, "lead": 50, "batch_id": 1}
    said = [{**same, "listing_id": i, "right": n < right, "at": utc_now()} for n, i in enumerate(ids)]
    session.execute(insert(Decision), said)
    for listing in session.scalars(select(Listing).where(Listing.id.in_(ids))):
        listing.state = ListingState.NO_MATCH


def verdict(session, listing: Listing):
    return session.scalar(select(Decision.right).where(Decision.listing_id == listing.id))


def test_choosing_the_first_suggestion_says_that_it_was_right(session, suggested, bob):
    listing, product = suggested(91, lead=17)
    links.confirm(session, [Pair(listing.id, product.id, 91)], by=bob)
    said = session.get(Decision, listing.id)
    assert (said.right, said.score, said.lead, said.product_id) == (True, 91, 17, product.id)


def test_choosing_another_product_or_none_says_that_it_was_wrong(session, suggested, make, bob):
    first, _ = suggested()
    second, _ = suggested()
    links.confirm(session, [Pair(first.id, make.product().id)], by=bob)
    links.set_aside(session, [second.id], ListingState.NO_MATCH, by=bob)
    assert verdict(session, first) is False
    assert verdict(session, second) is False


def test_a_rejected_first_suggestion_was_wrong_and_a_rejected_second_one_says_nothing(session, suggested, bob):
    listing, product = suggested()
    second = session.scalar(select(Suggestion.product_id).where(Suggestion.rank == 2))
    links.reject(session, [Pair(listing.id, second)], by=bob)
    assert verdict(session, listing) is None
    assert session.get(Decision, listing.id) is None
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    assert verdict(session, listing) is False


@pytest.mark.parametrize("source", [LinkSource.FILE])
def test_a_file_of_links_judges_no_suggestion(session, suggested, bob, source):
    listing, product = suggested()
    links.confirm(session, [Pair(listing.id, product.id)], by=bob, source=source)
    assert session.get(Decision, listing.id) is None


def test_a_listing_that_nobody_suggested_for_leaves_nothing(session, make, bob):
    listing = make.listing()
    links.confirm(session, [Pair(listing.id, make.product().id)], by=bob)
    assert session.scalar(select(func.count()).select_from(Decision)) == 0


def test_linking_what_is_linked_already_changes_no_verdict(session, suggested, bob):
    listing, product = suggested()
    first = links.confirm(session, [Pair(listing.id, product.id, 96)], by=bob)
    assert links.confirm(session, [Pair(listing.id, product.id, 96)], by=bob).batch is None
    assert session.get(Decision, listing.id, populate_existing=True).batch_id == first.batch.id


def test_undo_takes_the_verdict_back(session, suggested, bob):
    listing, product = suggested()
    change = links.confirm(session, [Pair(listing.id, product.id, 96)], by=bob)
    links.undo(session, change.batch.id, by=bob)
    assert session.get(Decision, listing.id) is None


def test_taking_a_link_apart_says_that_it_was_wrong_and_restoring_it_that_it_was_right(session, suggested, bob):
    listing, product = suggested()
    links.confirm(session, [Pair(listing.id, product.id, 96)], by=bob)
    change = links.unlink(session, [listing.id], by=bob)
    assert verdict(session, listing) is False
    links.undo(session, change.batch.id, by=bob)
    assert verdict(session, listing) is True


def test_leaving_a_channel_says_nothing_of_its_suggestions(session, suggested, bob):
    listing, product = suggested()
    links.confirm(session, [Pair(listing.id, product.id, 96)], by=bob)
    links.unsync(session, [Link.listing_id == listing.id], expect=1, by=bob)
    assert verdict(session, listing) is True


def test_the_record_of_a_band_counts_what_was_right(session, make):
    decided(session, make, right=3, wrong=1, score=92)
    decided(session, make, right=2, score=97)
    channel_id = session.scalar(select(Decision.channel_id).limit(1))
    assert decisions.record(session, channel_id, 93, now=utc_now()) == (3, 4, 90, 94)
    assert decisions.record(session, channel_id, 100, now=utc_now()) == (2, 2, 95, 100)


def test_twenty_decisions_calibrate_a_channel(session, make):
    channel = make.channel()
    assert not decisions.calibration(session, channel.id).known
    decided(session, make, right=19, wrong=1)
    curve = decisions.calibration(session, channel.id)
    assert curve.known
    assert 0.8 < curve.probability(96, 50) < 1


def test_a_rule_is_refused_before_fifty_decisions_and_says_how_many_are_missing(session, make, bob):
    decided(session, make, right=49)
    with pytest.raises(Refused, match="Decide 24 more"):  # 73 of 73 are needed to promise 95 per cent
        rules.turn_on(session, make.channel(), 95, 95, by=bob)
    assert make.channel().rule_from is None


def test_a_rule_is_refused_where_the_lower_bound_does_not_bear_the_promise(session, make, bob):
    decided(session, make, right=60, wrong=5)
    with pytest.raises(Refused, match="60 of them right"):
        rules.turn_on(session, make.channel(), 95, 95, by=bob)


def test_a_rule_links_what_scores_above_its_line_as_one_batch_that_can_be_taken_back(session, suggested, make, bob):
    decided(session, make, right=75)
    channel = make.channel()
    sure, product = suggested(97)
    unsure, _ = suggested(94)
    rules.turn_on(session, channel, 95, 95, by=bob)
    assert rules.follow(session, channel) == 1
    link = session.scalars(select(Link).where(Link.listing_id == sure.id)).one()
    assert (link.product_id, link.source, link.score, link.by_name) == (product.id, LinkSource.RULE, 97, RULE.name)
    assert unsure.state is ListingState.PENDING
    assert verdict(session, sure) is None  # nobody has looked
    links.undo(session, link.batch_id, by=bob)
    assert session.scalar(select(Link).where(Link.listing_id == sure.id)) is None


def test_a_rule_stops_by_itself_when_people_take_its_links_apart(session, suggested, make, bob):
    decided(session, make, right=75)
    channel = make.channel()
    made = [suggested(97)[0] for _ in range(3)]
    rules.turn_on(session, channel, 95, 95, by=bob)
    rules.follow(session, channel)
    links.unlink(session, [made[0].id], by=bob)
    waiting, _ = suggested(99)
    assert rules.follow(session, channel) == 0
    assert channel.rule_from is None
    assert "were wrong" in channel.rule_stopped
    assert waiting.state is ListingState.PENDING


def test_a_rule_never_links_a_refused_pair_a_taken_product_or_one_that_two_listings_want(session, suggested, make, bob):
    channel = make.channel()
    refused, product = suggested(98)
    links.reject(session, [Pair(refused.id, product.id)], by=bob)
    held = make.product()
    make.link(product=held, channel=channel)
    taken, _ = suggested(98, product=held)
    wanted = make.product()
    rivals = [suggested(98, product=wanted)[0] for _ in range(2)]
    free, _ = suggested(98)
    found = rules.outlook(session, channel, 95)
    assert (found.above, rules.would_link(session, channel, found)) == (5, 1)
    change = rules.link_above(session, channel, 95, by=bob)
    assert change.changed == 1
    assert free.state is ListingState.LINKED
    assert {x.state for x in (refused, taken, *rivals)} == {ListingState.PENDING}
    left = {x.listing_id: x.message for x in rules.left(session, channel, 95, limit=9)}
    assert left[refused.id] == f"Somebody said that this is not {product.sku}. A rule does not ask again."
    assert f"{held.sku} is already linked on {channel.name}" in left[taken.id]
    assert {left[x.id] for x in rivals} == {
        f"Several listings want {wanted.sku}, and only one can have it. Choose which in Review."
    }
    assert len(rules.left(session, channel, 95, limit=2)) == 2


def test_where_a_product_may_have_several_listings_rivals_are_linked_together(session, suggested, make, bob):
    channel = make.channel("Many", many=True)
    wanted = make.product()
    for _ in range(2):
        suggested(98, product=wanted, channel=channel)
    assert rules.would_link(session, channel, rules.outlook(session, channel, 95)) == 2
    assert rules.link_above(session, channel, 95, by=bob).changed == 2


def test_of_very_many_above_a_line_none_is_looked_at_by_itself(session, suggested, make, bob, monkeypatch):
    refused, product = suggested(98)
    suggested(98)
    links.reject(session, [Pair(refused.id, product.id)], by=bob)
    found = rules.outlook(session, make.channel(), 95)
    assert rules.would_link(session, make.channel(), found) == 1
    monkeypatch.setattr(rules, "COUNTED", 1)
    assert rules.would_link(session, make.channel(), found) == 2


def test_the_histogram_sums_to_what_was_decided_and_what_waits(session, suggested, make):
    decided(session, make, right=4, wrong=2, score=88)
    suggested(100)
    suggested(41)
    bars = rules.histogram(session, make.channel())
    assert [(b.low, b.right, b.wrong, b.waiting) for b in bars if b.right + b.wrong + b.waiting] == [
        (40, 0, 0, 1),
        (85, 4, 2, 0),
        (95, 0, 0, 1),
    ]


def test_the_outlook_says_what_is_missing_until_a_promise_holds(session, suggested, make):
    decided(session, make, right=60)
    suggested(97)
    found = rules.outlook(session, make.channel(), 95)
    assert (found.waiting, found.above, found.right, found.judged) == (1, 1, 60, 60)
    assert found.more(95) == 13  # 73 of 73
    assert found.more(90) == 0
    assert rules.outlook(session, make.channel(), 98).judged == 0


@pytest.mark.parametrize(("right", "judged", "promise"), [(0, 0, 95), (60, 60, 95), (100, 2_000, 99), (5, 9, 90)])
def test_so_many_more_right_ones_are_just_enough(right, judged, promise):
    found = rules.Outlook(95, 0, 0, right, judged, decided=10_000)
    more = found.more(promise)
    assert (
        wilson_lower(right + more, judged + more) >= promise / 100 > wilson_lower(right + more - 1, judged + more - 1)
    )
