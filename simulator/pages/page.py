"""Several slots that are decided together, in order: what a log says about a policy that decides all of them.

The log has for each slot a propensity of its own, conditional on what the slots before had chosen. By the chain rule
the probability of a whole page is their product, and so is the weight of a round: w = Π_s π_s(chosen_s | x, logged
choices before) / p_s. Weighted by it, what was earned is unbiased for a policy that decides every slot, however the
slots act on each other. Unlike estimators that take slots to add up, or to be read from the top (cascades), it needs no
such assumption, and pays with larger weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator.asked import Asked
from simulator.checks import diagnose_policy
from simulator.diagnostics import Diagnostics, blocks, diagnose_weights, earned_range
from simulator.diagnostics import weights as importance
from simulator.estimators import Evidence, expectation
from simulator.findings import refusal
from simulator.intervals.clustered import Possible
from simulator.judging import Part, row_of
from simulator.logs.log import Flags, Floats, Log, LogError
from simulator.rows import Row

BETWEEN = " + "
"""Between the names of the slots of a page."""


@dataclass(frozen=True, eq=False)
class Page:
    """Decisions of several slots, n of them: one `Log` a slot, in the order in which they were decided.

    slots: row by row the same decisions; each with what its choice earned. Their contexts hold the choices before as
    `slot.NAME`; without them a policy can't look at these. rewards: (n,) what the whole page earned; by default what
    the slots did, if that is the same for all.

    Raises LogError, with every kind of violation, unless all of this holds.
    """

    slots: tuple[Log, ...]
    rewards: Floats | None = None

    def __post_init__(self) -> None:
        if problems := list(_problems(self.slots, self.rewards)):
            raise LogError(self.slots[0].name if self.slots else "page", problems)

    def __len__(self) -> int:
        return len(self.slots[0])

    def __getitem__(self, rows: slice) -> "Page":
        """The page of these rounds. Raises LogError when none is left."""
        return Page(tuple(log[rows] for log in self.slots), self.earned[rows])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(log.slot for log in self.slots)

    @property
    def earned(self) -> Floats:
        """(n,) the rewards of the whole page."""
        return self.slots[0].rewards if self.rewards is None else self.rewards

    @cached_property
    def outline(self) -> Log:
        """The rounds as a log of the first slot with what the page earned: contexts, times and persons are those of all
        slots.
        """
        return replace(self.slots[0], slot=BETWEEN.join(self.names), rewards=self.earned)

    def valued(self, rewards: Floats) -> tuple[Log, ...]:
        """The slots, each with these rewards of the page in place of its own."""
        return tuple(
            log if np.array_equal(log.rewards, rewards) else replace(log, rewards=rewards) for log in self.slots
        )


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """How a policy's way through a page differs from the logged one: (S, n) each, by slot, at the logged choices
    before.

    weights: π_s(chosen)/p_s. lost: Σ π_s(a) over choices that were impossible. cubes: Σ π_s(a)³/p_s(a)², which is
    E[w_s³]. most: the greatest weight that there could have been. known: whether all logged probabilities are known.
    """

    weights: Floats
    lost: Floats
    cubes: Floats
    most: Floats
    known: bool

    def of(self, members: Flags) -> "Path":
        """On some of the rounds."""
        return Path(
            self.weights[:, members], self.lost[:, members], self.cubes[:, members], self.most[:, members], self.known
        )

    @property
    def through(self) -> Floats:
        """(S, n) w_1 · … · w_s: the weight of a round up to and with each slot."""
        found: Floats = np.cumprod(self.weights, axis=0, dtype=np.float64)
        return found

    @property
    def before(self) -> Floats:
        """(S, n) w_1 · … · w_{s-1}."""
        return np.vstack([np.ones_like(self.weights[:1]), self.through[:-1]])

    @property
    def support(self) -> float | None:
        """The share of the policy's pages that this log could have shown; None where that is not known. What is lost in
        a slot is estimated as often as the policy gets there: 1 - Σ_s Σ w_1 · … · w_{s-1} · lost_s / n. Exact where
        nothing is lost but in the first slot.
        """
        if not self.known:
            return None
        return float(np.clip(1.0 - np.sum(np.mean(self.before * self.lost, axis=1)), 0.0, 1.0))

    def possible(self, low: float, high: float) -> Possible:
        """What this log could have held: the last slot's choice is averaged over, those before are as they were."""
        cubes = float(np.mean(self.before[-1] ** 3 * self.cubes[-1]))
        return Possible(np.sqrt(cubes), float(np.prod(self.most, axis=0).max()), low, high)


def path_of(page: Page, targets: Sequence[Floats | None]) -> Path:
    """targets: (n, K_s) the policy's pmf for each slot; None for a slot that is left as logged."""
    parts = [_slot_path(log, target) for log, target in zip(page.slots, targets, strict=True)]
    weights, lost, cubes, most = (np.stack(columns) for columns in zip(*parts, strict=True))
    known = all(
        target is None or log.probabilities is not None for log, target in zip(page.slots, targets, strict=True)
    )
    return Path(weights, lost, cubes, most, known)


def page_row(
    page: Page,
    part: Part,
    name: str,
    role: str,
    targets: Sequence[Floats | None],
    q: Sequence[Floats],
    asked: Asked,
) -> Row:
    """The row of a policy whose probabilities on all judged rounds are `targets`, as `path_of` takes them, on a part of
    these. q: by slot (n, K_s) the reward of the page that a model expects at the logged choices before.
    """
    log, path = part.log, path_of(page, targets).of(part.members)
    bounds = earned_range(log)
    whole = diagnose_weights(log, path.through[-1], part.persons, path.support, lambda: path.possible(*bounds))
    row = row_of(part, name, role, whole, lambda: page_evidence(page, part, path, targets, q), asked)
    alone = {slot: _alone(path, place, part) for place, slot in enumerate(page.names)}
    told = asked.language.slot_alone
    why = (told.format(slot=repr(slot), why=why) for slot, why in _refused(alone, asked.lang))
    reason = row.refusal and next(why, None)
    return replace(row, slots=alone, refusal=reason or row.refusal)


def page_evidence(
    page: Page, part: Part, path: Path, targets: Sequence[Floats | None], q: Sequence[Floats]
) -> Evidence:
    """The sequential doubly robust score as what every estimator takes. With v_s = Σ_a π_s(a) q_s(a) and q_s of what
    was chosen, v_1 + Σ_{s<S} w_{1..s} (v_{s+1} - q_s) + w_{1..S} (r - q_S): all before the last term is `expected`.

    Each correction has mean 0 over the draw of its slot if q is the next slot's v, and what is left of one slot's error
    is corrected by the next: unbiased whatever q is, as long as no round's q was fitted on its person. With q = 0 it is
    IPS. Jiang & Li 2016; Murphy, van der Laan & Robins 2001. Here q_s regresses what was earned under the log's own
    later choices, which costs some variance and no bias.
    """
    rows, through = np.arange(len(part.log)), path.through
    expected, predicted = np.zeros(len(rows)), np.zeros(len(rows))
    for place, (log, target, model) in enumerate(zip(page.slots, targets, q, strict=True)):
        mine = model[part.members]
        ahead = np.ones(len(rows)) if place == 0 else through[place - 1]
        chosen = mine[rows, log.chosen[part.members]]
        pmf = log.probabilities if target is None else target  # as logged: π = p
        value = chosen if pmf is None else expectation(pmf[part.members], mine)
        expected += ahead * (value - predicted)
        predicted = chosen
    return Evidence(
        rewards=part.log.rewards,
        weights=through[-1],
        expected=expected,
        predicted=predicted,
        persons=part.persons,
        possible=path.possible(*earned_range(part.log)),
    )


def _slot_path(log: Log, target: Floats | None) -> tuple[Floats, Floats, Floats, Floats]:
    n = len(log)
    if target is None:
        return np.ones(n), np.zeros(n), np.ones(n), np.ones(n)
    w = importance(log, target)
    if log.probabilities is None:
        return w, np.zeros(n), w**3, 1.0 / log.propensities
    lost, cubes, most = np.zeros(n), np.zeros(n), np.zeros(n)
    for rows in blocks(*target.shape):
        pmf, logged = target[rows], log.probabilities[rows]
        ratio = np.divide(pmf, logged, out=np.zeros_like(pmf), where=logged > 0.0)
        lost[rows] = np.where(logged > 0.0, 0.0, pmf).sum(axis=1)
        cubes[rows] = np.einsum("ij,ij,ij->i", pmf, ratio, ratio)
        most[rows] = ratio.max(axis=1)
    return w, lost, cubes, most


def _alone(path: Path, place: int, part: Part) -> Diagnostics:
    """One slot's diagnostics, the others as logged."""
    row = slice(place, place + 1)
    one = Path(path.weights[row], path.lost[row], path.cubes[row], path.most[row], path.known)
    bounds = earned_range(part.log)
    return diagnose_weights(part.log, one.weights[0], part.persons, one.support, lambda: one.possible(*bounds))


def _refused(alone: Mapping[str, Diagnostics], lang: str) -> Iterator[tuple[str, str]]:
    for slot, found in alone.items():
        if why := refusal(diagnose_policy(found, lang=lang)):
            yield slot, why


def _problems(slots: tuple[Log, ...], rewards: Floats | None) -> Iterator[str]:
    if len(slots) < 2:
        yield f"{len(slots)} slots; expected at least 2: one is a log"
        return
    first, names = slots[0], [log.slot for log in slots]
    if len(set(names)) < len(names):
        yield f"slots: {names}, expected names that differ"
    if any(len(log) != len(first) for log in slots):
        yield f"slots: {[len(log) for log in slots]} rounds, expected as many in each, row by row the same decisions"
        return
    for log in slots[1:]:
        for column in ("times", "persons"):
            differs = getattr(log, column) != getattr(first, column)
            yield from _reported(column, log, differs, f"that of the same decision in slot {first.slot!r}")
        if rewards is None:
            yield from _reported("rewards", log, log.rewards != first.rewards, "that of every slot, or `rewards`")
    for place, log in enumerate(slots):
        for before in slots[:place]:
            yield from _reported("contexts", log, _contradicted(log, before), f"the choice of slot {before.slot!r}")
    if rewards is not None and (rewards.shape != (len(first),) or not np.isfinite(rewards).all()):
        yield f"rewards: expected one finite number a round, {len(first):,} of them"


def _contradicted(log: Log, before: Log) -> Flags:
    """(n,) where a context tells another choice of the slot before than was made."""
    key, ids = f"slot.{before.slot}", [action.id for action in before.actions]
    told = (context.get(key) for context in log.contexts)
    return np.array([one is not None and one != ids[chosen] for one, chosen in zip(told, before.chosen, strict=True)])


def _reported(column: str, log: Log, bad: Flags, expected: str) -> Iterator[str]:
    if bad.any():
        count, first = int(bad.sum()), int(np.argmax(bad))
        yield f"{column} of slot {log.slot!r}: {count} of {len(log)} rows, first row {first}, expected {expected}"
