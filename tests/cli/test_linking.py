"""The commands about pairs keep the promises of the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.cli.conftest import read
from webapp.models import Attempt, AttemptState, AuditEntry, Link, Listing, RunKind, SyncRun
from webapp.models.base import utc_now
from webapp.services import steps, unsyncing


def test_reconcile_links_equal_skus_once_and_says_why_the_rest_waits(shop):
    first = shop.json("reconcile", "--channel", "Alpha")
    assert first.pop("batch") > 0
    assert first == {"linked": 2, "pending": 2, "ambiguous": 0, "near_miss": 1, "already_linked": 0, "no_sku": 1}
    again = shop.json("reconcile")
    assert (again["batch"], again["linked"], again["already_linked"], again["near_miss"]) == (None, 0, 2, 1)


def test_link_says_what_changed_and_repeating_changes_nothing(shop):
    first = shop.json("link", "--channel", "Alpha", "L4", "A-3")
    assert (first["changed"], first["unchanged"], first["refused"]) == (1, 0, [])
    again = shop.json("link", "--channel", "Alpha", "L4", "A-3")
    assert (again["batch"], again["changed"], again["unchanged"]) == (None, 0, 1)


def test_a_listing_that_is_linked_elsewhere_is_refused_in_words(shop):
    shop("link", "--channel", "Alpha", "L4", "A-3")
    refused = shop.json("link", "--channel", "Alpha", "L4", "A-1", code=1)
    assert refused["changed"] == 0
    assert refused["refused"][0]["listing_id"] == "L4"
    assert "A-3" in refused["refused"][0]["message"]


def test_unlink_takes_many_and_names_those_that_are_not_there(shop):
    shop("reconcile")
    done = shop.json("unlink", "--channel", "Alpha", "L1", "L2", "nowhere", code=3)
    assert (done["changed"], [r["listing_id"] for r in done["refused"]], done["in_flight"]) == (2, ["nowhere"], [])
    assert shop.json("reconcile")["linked"] == 0  # what a person took apart no rule joins again
    assert shop.json("unlink", "--channel", "Alpha", "nowhere", code=1)["changed"] == 0


def test_undo_gives_pairs_back_once(shop):
    shop("reconcile")
    batch = shop.json("unlink", "--channel", "Alpha", "L1")["batch"]
    assert shop.json("undo", str(batch))["changed"] == 1
    again = shop.json("undo", str(batch), code=1)
    assert again["error"] == "conflict"
    assert shop.json("reconcile")["already_linked"] == 2


def test_unsync_wants_the_exact_number(shop):
    shop("reconcile")
    refused = shop.json("unsync", "--channel", "Alpha", "--expect", "3", code=1)
    assert refused["error"] == "conflict"
    assert refused["found"] == 2
    assert shop.json("reconcile")["already_linked"] == 2
    assert shop.json("unsync", "--channel", "Alpha", "--expect", "2")["changed"] == 2


def test_very_many_pairs_are_unsynced_and_taken_back_in_steps_with_the_same_answers(shop, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 2)
    monkeypatch.setattr(unsyncing, "STEP", 1)
    shop("reconcile")
    refused = shop.json("unsync", "--channel", "Alpha", "--expect", "3", code=1)
    assert (refused["error"], refused["found"]) == ("conflict", 2)
    done = shop.json("unsync", "--channel", "Alpha", "--expect", "2")
    batch = done["batch"]
    assert done == {"batch": batch, "changed": 2, "unchanged": 0, "refused": [], "in_flight": []}
    with shop.inside() as (session, _):
        taken = list(session.scalars(select(AuditEntry.sentence).where(AuditEntry.event == "link.unsynced")))
    assert len(taken) == 1
    assert shop.json("link", "--channel", "Alpha", "L1", "A-3")["changed"] == 1
    undone = shop.json("undo", str(batch), code=3)
    assert (undone["changed"], [r["listing_id"] for r in undone["refused"]]) == (1, ["L1"])
    assert "A-3" in undone["refused"][0]["message"]
    assert shop.json("undo", str(batch), code=1)["error"] == "conflict"
    assert shop.json("reconcile")["already_linked"] == 2


def test_an_unsync_in_steps_names_the_updates_that_were_on_their_way(shop, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 2)
    monkeypatch.setattr(unsyncing, "STEP", 1)
    shop("reconcile")
    with shop.inside() as (session, _):
        listing = session.scalars(select(Listing).where(Listing.external_id == "L2")).one()
        link = session.scalars(select(Link).where(Link.listing_id == listing.id)).one()
        run = SyncRun(channel_id=link.channel_id, kind=RunKind.MANUAL)
        session.add(run)
        session.flush()
        said = {name: getattr(link, name) for name in ("listing_id", "product_id", "channel_id")}
        versions = {"link_version": link.fence, "product_version": 1}
        later = utc_now() + timedelta(minutes=1)
        state = AttemptState.BEGUN
        session.add(
            Attempt(**said, **versions, run_id=run.id, link_id=link.id, key="k", state=state, lease_until=later)
        )
    assert shop.json("unsync", "--channel", "Alpha", "--expect", "2")["in_flight"] == ["L2"]


def test_a_rejected_pair_is_not_suggested_again(shop, tmp_path):
    sheet = tmp_path / "s.csv"
    shop("reject", "--channel", "Alpha", "L3", "A-3")
    shop("suggest", "--out", str(sheet))
    rows = read(sheet)
    assert ("L3", "A-3") not in {(r["listing_id"], r["sku"]) for r in rows}
    assert {r["listing_id"] for r in rows} <= {"L1", "L2", "L3", "L4"}


def test_suggest_ranks_candidates_from_one_with_falling_scores(shop, tmp_path):
    sheet = tmp_path / "s.csv"
    answer = shop.json("suggest", "--channel", "Alpha", "--top", "2", "--out", str(sheet))
    assert answer["listings"] == 4
    assert answer["with_suggestions"] >= 1
    assert answer["seconds"] > 0
    rows = read(sheet)
    assert list(rows[0]) == ["channel", "listing_id", "rank", "sku", "score", "probability", "reasons"]
    for listing in {r["listing_id"] for r in rows}:
        mine = [r for r in rows if r["listing_id"] == listing]
        assert [int(r["rank"]) for r in mine] == list(range(1, len(mine) + 1))
        assert len(mine) <= 2
        scores = [int(r["score"]) for r in mine]
        assert scores == sorted(scores, reverse=True)
    assert all(r["reasons"] for r in rows if int(r["score"]) > 0)


def test_a_product_is_added_from_a_listing_only_with_a_sku_of_its_own(shop):
    taken = shop.json("add-to-catalogue", "--channel", "Alpha", "L1", "--anyway", code=1)
    assert taken["error"] == "conflict"
    added = shop.json("add-to-catalogue", "--channel", "Alpha", "L4", "--sku", "NEW-9", "--anyway")
    assert (added["sku"], added["similar"]) == ("NEW-9", [])
    assert shop.json("undo", str(added["batch"]))["changed"] == 1


def test_look_alikes_stop_an_addition_and_are_named(shop):
    with shop.inside() as (_, make):
        make.listing("MUG-X", channel=make.channel("Alpha"), listing_id="L9", title="Nomad mug A-1")
    answer = shop.json("add-to-catalogue", "--channel", "Alpha", "L9", code=None)
    if answer["sku"] is None:  # how alike two titles must be is the matching's decision
        assert {"sku", "title", "reason"} <= set(answer["similar"][0])
        assert shop.json("add-to-catalogue", "--channel", "Alpha", "L9", "--anyway")["sku"] == "MUG-X"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["link", "--channel", "Beta", "L1", "A-1"], "There is no channel “Beta”. Channels: Alpha."),
        (["undo", "99"], "There is no batch 99."),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(shop, words, sentence):
    answer = shop(*words, "--json", code=1)
    assert answer.json["message"].startswith(sentence)
    assert answer.json["error"] == "not_found"
    assert sentence in answer.err


@pytest.mark.parametrize("verb", ["link", "reject"])
@pytest.mark.parametrize(
    ("listing_id", "sku", "sentence"),
    [
        ("L77", "A-1", "There is no listing L77 on Alpha."),
        ("L1", "B-1", "There is no product with the SKU B-1."),
    ],
)
def test_a_pair_with_a_side_that_is_not_there_is_a_refused_item(shop, verb, listing_id, sku, sentence):
    answer = shop(verb, "--channel", "Alpha", listing_id, sku, "--json", code=1)
    (item,) = answer.json["refused"]
    assert item["listing_id"] == listing_id
    assert item["message"].startswith(sentence)
    assert (answer.json["batch"], answer.json["changed"]) == (None, 0)


@pytest.mark.parametrize(
    "words",
    [
        ["unlink", "--channel", "Alpha"],
        ["unsync", "--channel", "Alpha"],
        ["unsync", "--channel", "Alpha", "--expect", "many"],
        ["link", "L1", "A-1"],
        ["suggest", "--top", "0"],
        ["undo", "last"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_2_and_leaves_standard_output_empty(shop, words):
    answer = shop(*words, code=2)
    assert answer.out == ""
    assert answer.err
