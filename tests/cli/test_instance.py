"""The commands about the instance keep the promises of the command line."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from tests.conftest import POSTGRES
from webapp.db import db
from webapp.migrations import alembic_config, newest
from webapp.models import Channel, Link, Listing, Schedule, Setting, User
from webapp.models.base import utc_now
from webapp.services import channel_looks, health


def test_an_empty_instance_is_made_ready_by_the_first_command(shell):
    if not POSTGRES:
        (shell.settings.instance / "app.db").unlink()
        assert shell.json("status", code=1)["migrations"]["revision"] is None
    assert shell.json("reconcile")["linked"] == 0
    assert shell.json("upgrade")["revision"] == shell.json("status")["migrations"]["newest"]


def test_tables_of_another_version_are_refused_with_the_repair(shell):
    with shell.inside() as (session, _):
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        answer = shell.json("reconcile", code=1)
        assert "pairbook upgrade" in answer["message"]
        assert not shell.json("status", code=1)["migrations"]["current"]
    finally:
        with shell.inside() as (session, _):
            session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newest()})


def test_the_sample_data_is_loaded_once(shell):
    first = shell.json("demo")
    assert first == shell.json("demo")
    assert first["channels"] == 3
    numbers = shell.json("reconcile")
    assert numbers["linked"] + numbers["pending"] == first["listings"]
    assert numbers["linked"] > first["listings"] / 2
    assert min(numbers["near_miss"], numbers["ambiguous"], numbers["no_sku"]) > 0
    assert shell.json("plan", "--channel", "Shopify")["changes"]


def test_a_user_gets_a_password_from_standard_input(shell):
    words = ("user", "add", "Ana@Example.com", "--role", "editor", "--password-stdin", "--json")
    assert shell(*words, stdin="a long enough sentence\n").json == {"email": "ana@example.com", "role": "editor"}
    with shell.inside() as (session, _):
        user = session.scalars(select(User)).one()
        assert user.password.startswith("$argon2")
    assert shell(*words, stdin="a long enough sentence\n", code=1).json["error"] == "conflict"
    assert "12 characters" in shell("user", "add", "b@example.com", *words[3:], stdin="short\n", code=1).json["message"]


def test_a_user_without_a_password_gets_a_link_that_is_kept_as_a_digest(shell):
    answer = shell("user", "add", "ana@example.com", "--role", "viewer", "--json")
    assert answer.json["link"] in answer.err
    code = answer.json["link"].rsplit("/", 1)[1].split("?")[0]
    with shell.inside() as (session, _):
        kept = session.scalars(select(Setting.value)).all()
        assert kept
        assert code not in kept


def test_a_channel_is_added_with_its_options_sealed(shell):
    secret = "whsec_" + "c2VjcmV0" * 4
    options = ["--option", "url=http://127.0.0.1:9099/hook", "--option", f"secret={secret}"]
    added = shell.json("channel", "add", "Hook", "--kind", "webhook", *options, "--many")
    assert (added["channel"], added["kind"], added["many"]) == ("Hook", "webhook", True)
    with shell.inside() as (session, _):
        channel = session.scalars(select(Channel)).one()
        assert secret not in str(channel.options)
        assert secret.encode() not in (channel.secrets or b"")
    assert shell.json("channel", "add", "Hook", "--kind", "file", code=1)["error"] == "conflict"


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["--kind", "telex"], 1, "There is no kind “telex”."),
        (["--kind", "webhook"], 1, "url"),
        (["--kind", "file", "--option", "format"], 2, "has no “=”"),
        ([], 2, "--kind"),
    ],
)
def test_a_bad_channel_is_refused(shell, words, code, part):
    assert part in shell("channel", "add", "X", *words, code=code).err
    with shell.inside() as (session, _):
        assert not session.scalars(select(Channel)).all()


def test_status_is_well_when_nothing_waits(shop):
    answer = shop.json("status")
    assert answer["ok"]
    assert answer["problems"] == []
    assert answer["targets"] == {"dirty": 0, "oldest_seconds": None, "refused": 0, "retried": 0, "named": []}


def test_status_names_channels_that_a_person_must_look_at(shop):
    shop("channel", "pause", "Alpha")
    answer = shop.json("status", code=1)
    assert answer["channels"] == [
        {"channel": "Alpha", "state": "paused", "message": "", "fault": "", "looked_at": None}
    ]
    shop("channel", "pause", "Alpha", "--resume")
    with shop.inside() as (session, _):
        session.scalars(select(Channel)).one().held = "51 listings would go to zero at once."
    assert "51 listings" in shop("status", code=1).out
    shop("channel", "release", "Alpha")
    assert shop.json("status")["ok"]


def test_status_is_red_when_a_schedule_is_overdue_and_nobody_works(shop):
    shop("schedule", "add", "--channel", "Alpha")
    assert shop.json("status")["ok"]
    with shop.inside() as (session, _):
        session.scalars(select(Schedule)).one().next_at = utc_now() - timedelta(seconds=60)
    answer = shop.json("status", code=1)
    assert answer["problems"] == ["Work waits and no worker runs. Start “pairbook run” or “pairbook worker”."]
    assert 60 <= answer["schedules"]["late_seconds"] < 120
    with shop.inside() as (session, _):
        health.beat(session, "here:1", now=utc_now())
    assert shop.json("status")["ok"]
    with shop.inside() as (session, _):
        session.scalars(select(Schedule)).one().next_at = utc_now() - timedelta(minutes=20)
    assert shop.json("status", code=1)["problems"] == ["A schedule is 20 minutes late. Look at the sync history."]


def test_status_says_what_the_last_look_at_a_connector_found_until_it_finds_nothing(shop):
    with shop.inside() as (session, _):
        alpha = session.scalars(select(Channel)).one()
        channel_looks.settle(session, alpha, "The key has expired. Connect again.", now=utc_now())
    answer = shop.json("status", code=1)
    assert answer["problems"] == ["Alpha does not get through: The key has expired. Connect again."]
    assert (answer["channels"][0]["state"], answer["channels"][0]["fault"]) == ("open", alpha.fault)
    assert answer["channels"][0]["looked_at"]
    with shop.inside() as (session, _):
        session.scalars(select(Channel)).one().held = "51 listings would go to zero at once."
    both = shop.json("status", code=1)["problems"]
    assert both == ["Alpha is held: 51 listings would go to zero at once. It does not get through: " + alpha.fault]
    with shop.inside() as (session, _):
        alpha = session.scalars(select(Channel)).one()
        alpha.held = ""
        channel_looks.settle(session, alpha, "", now=utc_now())
    assert shop.json("status")["ok"]


def test_status_names_listings_that_were_refused_and_counts_those_that_are_tried_again(shop):
    shop("reconcile")
    with shop.inside() as (session, _):
        linked = list(session.scalars(select(Link).order_by(Link.id)))
        for link in linked:
            link.problem, link.due_at = "Frozen by campaign", None
        name = session.get_one(Listing, linked[0].listing_id).external_id
    answer = shop.json("status", code=1)
    assert answer["targets"]["refused"] == len(linked)
    assert f"{name} on Alpha: Frozen by campaign" in answer["problems"][0]
    with shop.inside() as (session, _):
        for link in session.scalars(select(Link)):
            link.due_at = utc_now()
    said = shop("status").out
    assert "did not take" in said
    assert "is well" not in said


def test_status_counts_afresh_and_repairs_a_doubted_number(shop):
    with shop.inside() as (session, _):
        session.execute(text("UPDATE listing_counts SET n = n + 5 WHERE state = 'pending'"))
    answer = shop.json("status", code=1)
    assert answer["counts"] == [{"channel": "Alpha", "state": "pending", "kept": 9, "real": 4}]
    assert shop.json("status", "--repair")["ok"]


def test_a_worker_that_was_heard_of_is_alive(shop):
    with shop.inside() as (session, _):
        health.beat(session, "here:1", now=utc_now())
    assert shop.json("status")["worker"]["alive"]


def test_help_and_version_load_no_compiled_kernels():
    code = "import sys, webapp.cli; assert not {'numba', 'scipy', 'sparse_dot_topn'} & set(sys.modules), 'too much'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_newest_revision_is_the_head_of_the_history(shell):
    with shell.inside():
        head = ScriptDirectory.from_config(alembic_config(db.engine)).get_current_head()
    assert newest() == head


def test_a_wrong_setting_is_named_with_its_repair(shell, monkeypatch):
    monkeypatch.setenv("PAIRBOOK_PORT", "eighty")
    answer = shell("status", "--json", code=1)
    assert answer.json["error"] == "setting"
    assert "PAIRBOOK_PORT" in answer.err


def test_a_channel_that_hears_no_quantities_is_added_and_its_plan_says_true_and_false(shell):
    assert shell.json("channel", "add", "Stall", "--kind", "file", "--in-stock-only")["in_stock_only"] is True
    assert shell.json("channel", "add", "Till", "--kind", "file")["in_stock_only"] is False
    with shell.inside() as (_, make):
        for number, units in enumerate((0, 4, 9)):
            offer = make.listing(listing_id=f"S-{number}", channel=make.channel("Stall"), quantity=5)
            make.link(make.product(f"P-{number}", quantity=units), offer)
    change = {"listing_id": "S-0", "sku": "P-0", "aspect": "availability", "old": True, "new": False}
    assert shell.json("plan", "--channel", "Stall")["changes"] == [change]
    answer = shell("plan", "--channel", "Stall")
    assert "S-0 (P-0) availability: in stock → out of stock" in answer.out + answer.err
    written = Path(shell.json("sync", "--channel", "Stall")["file"])
    assert written.read_text("utf-8-sig").splitlines()[:2] == ["listing_id,sku,in_stock,price,currency", "S-0,,no,,"]
