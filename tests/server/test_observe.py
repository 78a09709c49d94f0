"""A choice that another system made: kept as it was told, or refused with the reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.campaigns.catalogue import Served, serve
from server.campaigns.file import load_campaigns
from server.errors import EligeError, InvalidRequest, NoSuchCampaign, NotDeclared
from server.ids import RANDOM, read_decision_id
from server.observe import ObservedChoice, ObserveRequest, observe
from server.records import Candidate, Decision, Group, Kind, Reason, State
from server.store.campaigns import StoredCampaign

SECRET = b"s" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = """\
campaign: hero
metrics: {click: once}
reward: {window: 30m}
context: {country: text, orders: number}
slots:
  headline:
    default: a
    variants: [{id: a, content: {text: A}}, {id: b, content: {text: B}}, {id: c}]
  cta:
    default: x
    candidates: true
    variants: [{id: x}]
"""
PRICE = Candidate("price", {"text": "Desde 9 €"}, {"angle": "price"})


def served(state: State = State.ACTIVE) -> Served:
    (campaign,) = load_campaigns(TEXT, file_name="test.yaml")
    return serve(StoredCampaign(campaign.campaign, 3, 7, state.value, campaign.document(), TEXT, NOW), None)


def told(*choices: ObservedChoice, state: State = State.ACTIVE, **given: Any) -> Decision:
    request = ObserveRequest("hero", choices or (ObservedChoice("headline", "b"),), **given)
    return observe(served(state), request, secret=SECRET, now=NOW, random=bytes(RANDOM))


def test_what_is_known_of_it() -> None:
    decision = told(
        ObservedChoice("cta", "price", 0.25, eligible=("price", "x"), candidates=(PRICE,)),
        ObservedChoice("headline", "b"),
        person="ana",
        context={"country": "ES", "orders": "3", "colour": "red"},
        labels={"page": "/"},
        time_zone="Europe/Madrid",
        at=NOW - timedelta(days=3),
    )
    assert (decision.kind, decision.reason, decision.group) == (Kind.OBSERVED, Reason.OBSERVED, Group.POLICY)
    assert (decision.version, decision.snapshot, decision.policy) == (3, None, "")
    assert decision.context == {"country": "ES"}
    assert decision.ignored_context == ("colour", "orders")
    assert (decision.labels, decision.time_zone) == ({"page": "/"}, "Europe/Madrid")
    assert decision.person not in (None, "ana")
    assert read_decision_id(SECRET, decision.id).at == decision.at == decision.activated_at == NOW - timedelta(days=3)
    assert decision.window_closes_at == decision.at + timedelta(minutes=30)
    headline, cta = decision.choices  # in the campaign's order
    assert (headline.variant, headline.propensity, headline.probabilities) == ("b", None, ())
    assert headline.eligible == ("a", "b", "c")
    assert headline.content == {"text": "B"}
    assert (cta.variant, cta.propensity, cta.eligible) == ("price", 0.25, ("x", "price"))
    assert cta.content == PRICE.content
    assert cta.activated_at == decision.at


def test_a_window_can_be_cut_short() -> None:
    request = ObserveRequest("hero", (ObservedChoice("headline", "b"),))
    short = timedelta(seconds=5)
    decision = observe(served(), request, secret=SECRET, now=NOW, random=bytes(RANDOM), longest_window=short)
    assert decision.window_closes_at == NOW + short


@pytest.mark.parametrize(
    ("propensity", "eligible", "probabilities"),
    [
        (None, (), ()),
        (0.5, (), ()),
        (1.0, (), (0.0, 1.0, 0.0)),
        (0.25, ("a", "b"), (0.75, 0.25)),
        (1.0, ("b",), (1.0,)),
        (None, ("b",), ()),
    ],
)
def test_probabilities_of_all_where_they_follow(
    propensity: float | None, eligible: tuple[str, ...], probabilities: tuple[float, ...]
) -> None:
    (choice,) = told(ObservedChoice("headline", "b", propensity, eligible)).choices
    assert (choice.propensity, choice.probabilities) == (propensity, probabilities)


@pytest.mark.parametrize("state", [State.DRAFT, State.ACTIVE, State.PAUSED, State.KILLED])
def test_whatever_the_campaign_does_others_choose(state: State) -> None:
    assert told(state=state).reason is Reason.OBSERVED


def test_an_archived_campaign_takes_no_more() -> None:
    with pytest.raises(NoSuchCampaign, match="archived"):
        told(state=State.ARCHIVED)


@pytest.mark.parametrize(
    ("choice", "error", "says"),
    [
        (ObservedChoice("subject", "a"), NotDeclared, r"no slot 'subject'; it has: 'headline', 'cta'"),
        (ObservedChoice("headline", "d"), InvalidRequest, r"no variant 'd'; it has: 'a', 'b', 'c'"),
        (ObservedChoice("headline", "a", eligible=("a", "d")), InvalidRequest, "no variant 'd'"),
        (ObservedChoice("headline", "a", eligible=("b", "c")), InvalidRequest, "'a' was chosen: expected it among"),
        (ObservedChoice("headline", "a", eligible=("a", "a")), InvalidRequest, "eligible twice"),
        (ObservedChoice("headline", "price", candidates=(PRICE,)), InvalidRequest, "takes no candidates"),
        (ObservedChoice("cta", "x", candidates=(PRICE, PRICE)), InvalidRequest, "two variants 'price'"),
        (
            ObservedChoice("headline", "a", 0.0),
            InvalidRequest,
            r"propensity 0.0: expected a number above 0 and up to 1",
        ),
        (ObservedChoice("headline", "a", 1.5), InvalidRequest, "propensity 1.5"),
        (ObservedChoice("headline", "a", float("nan")), InvalidRequest, "propensity nan"),
        (ObservedChoice("headline", "a", 0.5, ("a",)), InvalidRequest, "'a' was the only one that could be chosen"),
    ],
)
def test_a_choice_that_can_not_be(choice: ObservedChoice, error: type[EligeError], says: str) -> None:
    with pytest.raises(error, match=says):
        told(choice)


def test_no_choice_and_two_of_one_slot() -> None:
    with pytest.raises(InvalidRequest, match="expected at least one slot"):
        observe(served(), ObserveRequest("hero", ()), secret=SECRET, now=NOW, random=bytes(RANDOM))
    with pytest.raises(InvalidRequest, match="'headline' is told twice"):
        told(ObservedChoice("headline", "a"), ObservedChoice("headline", "b"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"at": NOW + timedelta(minutes=5, microseconds=1)}, "lies in the future"),
        ({"at": datetime(1969, 12, 31, tzinfo=UTC)}, "before 1970"),
        ({"request_id": "é" * 200}, "request_id of 400 bytes"),
        ({"person": "\ud800"}, "person"),
    ],
)
def test_a_request_that_can_not_be(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        told(**given)


def test_clocks_never_agree() -> None:
    assert told(at=NOW + timedelta(minutes=5)).at == NOW + timedelta(minutes=5)


def test_a_zone_that_nobody_knows_is_ignored() -> None:
    decision = told(time_zone="Mars/Olympus")
    assert (decision.time_zone, decision.ignored_context) == (None, ("time_zone",))


def test_equal_requests_have_equal_hashes_and_no_others() -> None:
    choice = ObservedChoice("cta", "price", 0.5, ("price", "x"), (PRICE,))
    given: dict[str, Any] = {"request_id": "r", "context": {"country": "ES"}, "at": NOW}
    first = told(choice, **given).request_hash
    assert first == told(choice, **given).request_hash is not None
    others = [
        told(replace(choice, propensity=None), **given),
        told(replace(choice, eligible=()), **given),
        told(replace(choice, candidates=(replace(PRICE, features={}),)), **given),
        told(choice, ObservedChoice("headline", "a"), **given),
        told(choice, **{**given, "context": {}}),
        told(choice, **{**given, "at": NOW - timedelta(seconds=1)}),
        told(choice, **given, person="ana"),
    ]
    hashes = [one.request_hash for one in others]
    assert len({first, *hashes}) == 1 + len(hashes)
    assert told(choice).request_hash is None
