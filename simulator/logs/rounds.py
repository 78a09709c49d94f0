"""Decisions told one by one, made into columns without keeping them."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

from policies.types import Action, Features, Pmf
from simulator.logs.contexts import Contexts, ContextsBuilder, UnfitValue
from simulator.logs.problems import LogError, Problems

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Codes = NDArray[np.int64]

UNKNOWN = float("nan")
"""The propensity of a choice of which nobody knows how probable it was."""


@dataclass(frozen=True, slots=True)
class Round:
    """One decision and its reward, as `Log.from_rounds` reads them.

    `probabilities`: the pmf over `actions`, in their order; None when only the propensity of the chosen is known.
    `propensity`: nan where nobody knows it, which only a log that estimates them takes. `time`: unix seconds.
    `person`: whatever tells one person from another; None for an anonymous visit.
    """

    context: Features
    actions: tuple[Action, ...]
    chosen: str
    propensity: float
    reward: float
    time: float
    probabilities: Sequence[float] | Pmf | None = None
    person: str | int | None = None


def known_propensity(one: Round) -> float | None:
    """None where nobody knows it."""
    return None if isnan(one.propensity) else one.propensity


@dataclass(frozen=True, slots=True, eq=False)
class RoundColumns:
    """What rounds say, as the columns of a `Log`, which see; in time order. Of equal times the first stays first."""

    actions: tuple[Action, ...]
    contexts: Contexts
    eligible: Flags
    chosen: Indices
    propensities: Floats
    probabilities: Floats | None
    rewards: Floats
    times: Floats
    persons: Codes


def columns_of(rounds: Iterable[Round], *, name: str) -> RoundColumns:
    """The columns of rounds in any order, read once and not kept. Probabilities are kept if every round has them.

    Raises LogError, with rows as they came, for a choice that is none of the actions, for probabilities that are not
    one an action, and for what is no feature.
    """
    contexts, vocabulary, people = ContextsBuilder(), _Vocabulary(), _People()
    offers, chosen = array("q"), array("q")
    numbers = {column: array("d") for column in ("propensities", "rewards", "times")}
    pmfs: array[float] | None = array("d")
    unfit: list[tuple[str, int, object, str]] = []
    for row, item in enumerate(rounds):
        try:
            offer = vocabulary.offer(item.actions)
        except UnfitValue as error:
            raise LogError(name, [f"row {row:,}, {error}"]) from error
        ids = offer.ids
        if offer.repeats:
            unfit.append(("actions", row, list(ids), "ids that differ within one round"))
        place = offer.places.get(item.chosen)
        if place is None:
            unfit.append(("chosen", row, item.chosen, f"one of {list(ids)}"))
        if item.probabilities is None:
            pmfs = None
        elif len(item.probabilities) != len(ids):
            unfit.append(("probabilities", row, len(item.probabilities), f"{len(ids)} numbers, one an action"))
        elif pmfs is not None:
            pmfs.extend(item.probabilities)
        try:
            contexts.add(item.context)
        except UnfitValue as error:
            unfit.append((error.what, row, error.value, error.expected))
        offers.append(offer.code)
        chosen.append(0 if place is None else int(offer.columns[place]))
        numbers["propensities"].append(item.propensity)
        numbers["rewards"].append(item.reward)
        numbers["times"].append(item.time)
        people.add(item.person)
    if unfit:
        problems = Problems(len(offers))
        for problem in unfit:
            problems.add(*problem)
        raise LogError(name, problems.texts)
    times = np.array(numbers["times"])
    order = np.argsort(times, kind="stable")
    which = np.array(offers, dtype=np.intp)
    eligible, probabilities = _matrices(vocabulary, which, pmfs)
    rows = contexts.done()
    ordered = bool(np.all(order[1:] > order[:-1]))  # mostly they come in order: then nothing need be copied
    return RoundColumns(
        actions=tuple(vocabulary.actions),
        contexts=rows if ordered else rows.take(order),
        eligible=eligible if ordered else eligible[order],
        chosen=np.array(chosen, dtype=np.intp)[order],
        propensities=np.array(numbers["propensities"])[order],
        probabilities=probabilities if probabilities is None or ordered else probabilities[order],
        rewards=np.array(numbers["rewards"])[order],
        times=times[order],
        persons=np.array(people.codes, dtype=np.int64)[order],
    )


def _matrices(vocabulary: "_Vocabulary", which: Indices, pmfs: "array[float] | None") -> tuple[Flags, Floats | None]:
    """(n, K) what could be chosen, and with which probability. pmfs: of each round one after the other."""
    n, k = len(which), len(vocabulary.actions)
    eligible = np.zeros((n, k), dtype=bool)
    probabilities = None if pmfs is None else np.zeros((n, k))
    told = np.array(pmfs if pmfs is not None else (), dtype=np.float64)
    if n == 0:
        return eligible, probabilities
    sizes = np.array([offer.columns.size for offer in vocabulary.offers], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes[which])])[:-1]
    by_offer = np.argsort(which, kind="stable")
    for offer, rows in zip(vocabulary.offers, np.split(by_offer, np.cumsum(np.bincount(which))[:-1]), strict=True):
        cells = np.ix_(rows, offer.columns)
        eligible[cells] = True
        if probabilities is not None:
            probabilities[cells] = told[starts[rows][:, None] + np.arange(offer.columns.size)]
    return eligible, probabilities


@dataclass(frozen=True, slots=True)
class _Offer:
    """What could be chosen in a round: actions in an order. places: of each id in it."""

    code: int
    columns: Indices
    ids: tuple[str, ...]
    places: dict[str, int]

    @property
    def repeats(self) -> bool:
        return len(self.places) < len(self.ids)


class _Vocabulary:
    """Every action seen, each once, equal when id and features are; and every offer, likewise."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.offers: list[_Offer] = []
        self._places: dict[tuple[object, ...], int] = {}
        self._offers: dict[tuple[int, ...], _Offer] = {}
        self._seen: dict[int, tuple[tuple[Action, ...], _Offer]] = {}  # the tuple kept: no identity is used twice

    def offer(self, actions: tuple[Action, ...]) -> _Offer:
        # rounds mostly share one tuple: by identity, features are read once
        if (found := self._seen.get(id(actions))) is not None:
            return found[1]
        columns = tuple(self._place(action) for action in actions)
        offer = self._offers.get(columns)
        if offer is None:
            ids = tuple(action.id for action in actions)
            places = {one: place for place, one in reversed(list(enumerate(ids)))}
            offer = _Offer(len(self.offers), np.array(columns, dtype=np.intp), ids, places)
            self._offers[columns] = offer
            self.offers.append(offer)
        self._seen[id(actions)] = (actions, offer)
        return offer

    def _place(self, action: Action) -> int:
        key = (action.id, *sorted((name, type(value).__name__, value) for name, value in action.features.items()))
        try:
            place = self._places.setdefault(key, len(self.actions))
        except TypeError as error:
            name, value = next((name, value) for name, value in action.features.items() if not _hashable(value))
            expected = "a text, a number, a flag, or a tuple of texts"
            raise UnfitValue(f"feature {name!r} of action {action.id!r}", value, expected) from error
        if place == len(self.actions):
            self.actions.append(action)
        return place


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


class _People:
    """A code for each person: 0, 1, 2 … in order of appearance; -1, -2, -3 … for anonymous visits, each its own."""

    def __init__(self) -> None:
        self.codes = array("q")
        self._known: dict[str | int, int] = {}

    def add(self, person: str | int | None) -> None:
        self.codes.append(-1 - len(self.codes) if person is None else self._known.setdefault(person, len(self._known)))
