"""Probabilities learned from a channel's decisions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Decided, calibrate, wilson_lower
from matching.calibration import ENOUGH, Prior


def decisions(count: int, chance_of: dict[int, float], seed: int = 3) -> list[Decided]:
    """Random verdicts on scores, each score right with its own chance."""
    rng = random.Random(seed)
    scores = rng.choices(list(chance_of), k=count)
    return [Decided(score, score // 2, rng.random() < chance_of[score]) for score in scores]


def test_without_decisions_the_prior_speaks_and_says_that_it_is_uncalibrated() -> None:
    curve = calibrate([])
    assert not curve.known
    assert 0 < curve.probability(40, 0) < curve.probability(95, 60) < 1


def test_twenty_decisions_are_enough_to_speak_of_probabilities() -> None:
    assert not calibrate(decisions(ENOUGH - 1, {90: 0.9})).known
    assert calibrate(decisions(ENOUGH, {90: 0.9})).known


@pytest.mark.parametrize("truth", [{95: 0.98, 70: 0.8, 45: 0.4}, {95: 0.6, 70: 0.35, 45: 0.2}])
def test_after_a_few_hundred_decisions_the_probability_is_the_share_that_was_right(truth: dict[int, float]) -> None:
    curve = calibrate(decisions(600, truth))
    for score, share in truth.items():
        assert curve.probability(score, score // 2) == pytest.approx(share, abs=0.08)


def test_one_surprising_verdict_does_not_turn_the_curve() -> None:
    before = calibrate(decisions(200, {90: 0.97}))
    after = calibrate([*decisions(200, {90: 0.97}), Decided(90, 45, False)])
    assert abs(before.probability(90, 45) - after.probability(90, 45)) < 0.02


def test_all_right_never_becomes_certainty() -> None:
    curve = calibrate([Decided(100, 100, True)] * 500)
    assert 0.95 < curve.probability(100, 100) < 1


@given(st.lists(st.builds(Decided, st.integers(0, 100), st.integers(-100, 100), st.booleans()), max_size=60))
def test_a_probability_is_one_whatever_was_decided(decided: list[Decided]) -> None:
    curve = calibrate(decided, prior=Prior((0.0, 0.4, 0.8), (0.1, 10.0, 10.0)))
    assert all(0 <= curve.probability(score, lead) <= 1 for score in (0, 50, 100) for lead in (-100, 0, 100))


@pytest.mark.parametrize(
    ("right", "total", "least"), [(118, 118, 0.9685), (0, 0, 0.0), (0, 10, 0.0), (73, 73, 0.95), (9, 10, 0.5958)]
)
def test_the_lower_bound_is_wilsons(right: int, total: int, least: float) -> None:
    assert wilson_lower(right, total) == pytest.approx(least, abs=0.0005)


@given(st.lists(st.builds(Decided, st.integers(0, 100), st.integers(0, 100), st.booleans()), max_size=60))
def test_a_better_suggestion_is_never_less_likely(decided: list[Decided]) -> None:
    curve = calibrate(decided)
    by_score = [curve.probability(score, max(0, score - 20)) for score in range(20, 101, 5)]
    by_lead = [curve.probability(80, lead) for lead in range(0, 81, 5)]
    assert by_score == sorted(by_score)
    assert by_lead == sorted(by_lead)


def test_a_curve_whose_steps_are_used_up_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = decisions(200, {95: 0.9, 60: 0.4, 30: 0.1})
    prior, whole = calibrate([]).probability(30, 5), calibrate(verdicts).probability(30, 5)
    monkeypatch.setattr("matching.calibration._STEPS", 1)
    begun = calibrate(verdicts).probability(30, 5)
    assert abs(begun - whole) < abs(prior - whole)
    assert begun != pytest.approx(whole, abs=1e-6)


def test_verdicts_that_praise_bad_suggestions_leave_the_curve_flat() -> None:
    curve = calibrate([*[Decided(95, 90, False)] * 100, *[Decided(10, 2, True)] * 100])
    assert curve.weights[1:] == (0.0, 0.0)
