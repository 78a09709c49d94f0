"""What may decide is asked first, as it will be asked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from policies.base import uniform
from policies.types import Pmf
from server.campaigns.file import load_campaigns
from server.campaigns.model import Campaign
from server.decide import SlotOptions
from server.errors import Diverged
from server.records import Candidate, SlotState, state_digest
from server.trial import try_policy, try_states


@pytest.fixture
def campaign(put: Callable[[str], object], hero: str) -> Campaign:
    put(hero)
    (loaded,) = load_campaigns(hero, file_name="test.yaml")
    return loaded


class Asked:
    """Answers well until it is asked about `poison`, and keeps what it was asked."""

    def __init__(self, answer: Callable[[int], Pmf], poison: str = "") -> None:
        self.answer, self.poison, self.seen = answer, poison, list[tuple[Any, list[str]]]()

    def pmf(self, context: Any, actions: Any) -> Pmf:
        self.seen.append((context, [action.id for action in actions]))
        return self.answer(len(actions)) if context.get("country", "") == self.poison else uniform(len(actions))


def raises(k: int) -> Pmf:
    raise ZeroDivisionError(f"{k} variants")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda k: np.full(k, np.nan), "InvalidPmf: expected 3 .* nan"),
        (lambda k: np.full(k, np.inf), "InvalidPmf: expected 3 .* inf"),
        (lambda k: np.full(k, 0.5), "InvalidPmf: expected 3 "),
        (lambda k: np.array([2.0, -1.0, 0.0]), "InvalidPmf: expected 3 "),
        (lambda k: uniform(k + 1), "InvalidPmf: expected 3 "),
        (raises, "ZeroDivisionError: 3 variants"),
    ],
    ids=["nan", "infinite", "sum", "negative", "shape", "raises"],
)
@pytest.mark.parametrize("poison", ["", "PT"])
def test_what_is_no_distribution_fails(answer: Any, message: str, poison: str, campaign: Campaign, log: Any) -> None:
    decisions = log.decide([{"country": "ES"}, {"country": "PT"}])
    about = f"decision {decisions[1].id}" if poison else "a context without features"
    with pytest.raises(Diverged, match=f"slot 'headline': asked for {about}, the learner fails: {message}"):
        try_policy(campaign, "headline", Asked(answer, poison), decisions, lambda version: campaign)


def test_it_is_asked_what_it_will_be_asked(campaign: Campaign, log: Any) -> None:
    decisions = log.decide([{"country": "ES"}], options={"cta": SlotOptions(exclude=frozenset({"demo"}))})
    asked = Asked(uniform)
    try_policy(campaign, "cta", asked, decisions, lambda version: campaign)
    chosen = decisions[0].choices[0].variant
    (nothing, all_of_them), (known, eligible) = asked.seen
    assert (nothing, all_of_them, eligible) == ({}, ["try", "demo"], ["try"])
    assert known == {"country": "ES", "slot.headline": chosen, "time.hours": "12-16", "time.weekday": "sun"}


def test_a_slot_of_candidates_only_is_asked_about_those_of_the_log(put: Any, log: Any) -> None:
    text = "campaign: hero\nmetrics: {click: once}\nreward: {window: 1m}\nslots: {s: {candidates: true}}\n"
    put(text)
    (campaign,) = load_campaigns(text, file_name="test.yaml")
    brought = tuple(Candidate(one, {}, {}) for one in ("a", "b"))
    asked = Asked(uniform)
    decisions = log.decide([{}], options={"s": SlotOptions(candidates=brought)})
    try_policy(campaign, "s", asked, decisions, lambda version: campaign)
    assert [offered for _, offered in asked.seen] == [["a", "b"]]


def test_bytes_that_can_not_be_loaded_fail(campaign: Campaign) -> None:
    state = b"something else, and long enough"
    states = [SlotState("cta", "auto", "", "", state, state_digest(state))]
    with pytest.raises(Diverged, match="slot 'cta': what was learned can't be loaded: "):
        try_states(campaign, states, [], lambda version: campaign)
