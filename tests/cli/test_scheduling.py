"""Schedules from a script."""

from __future__ import annotations


def test_a_schedule_is_added_listed_cancelled_and_restored(shell):
    shell("channel", "add", "Alpha", "--kind", "file")
    added = shell.json("schedule", "add", "--channel", "Alpha", "--every", "night", "--at", "3:05")["schedules"]
    assert [(s["channel"], s["stock"], s["price"], s["every"], s["at"]) for s in added] == [
        ("Alpha", True, False, "night", "03:05")
    ]
    number = added[0]["schedule"]
    assert shell.json("schedule", "list")["schedules"] == added
    assert shell.json("schedule", "cancel", str(number)) == {"schedule": number, "cancelled": True}
    assert shell.json("schedule", "list")["schedules"] == []
    assert shell.json("schedule", "cancel", str(number), "--restore")["cancelled"] is False
    assert len(shell.json("schedule", "list")["schedules"]) == 1


def test_what_is_wrong_is_refused_and_nothing_is_scheduled(shell):
    shell("channel", "add", "Alpha", "--kind", "file")
    refused = shell.json("schedule", "add", "--channel", "Alpha", "--every", "night", "--at", "noon", code=1)
    assert refused["error"] == "refused"
    assert shell.json("schedule", "add", "--channel", "Nowhere", code=1)["error"] == "not_found"
    assert shell.json("schedule", "cancel", "7", code=1)["error"] == "not_found"
    assert shell.json("schedule", "list")["schedules"] == []
