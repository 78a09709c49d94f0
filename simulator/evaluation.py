"""What an evaluation says: its rows, in order, and what may be concluded. Frozen; made by `simulator.evaluate`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from simulator.diagnostics import Diagnostics
from simulator.estimators import Estimate
from simulator.log import LogSummary, when

LOGGED, UNIFORM, FIXED, SPEC, SNAPSHOT = "logged", "uniform", "fixed", "spec", "snapshot"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the log: its first and last time, and its rounds."""

    start: float
    end: float
    n: int
    timed: bool = True

    def __str__(self) -> str:
        start, end = when(self.start, timed=self.timed), when(self.end, timed=self.timed)
        return f"{start} to {end} ({self.n:,} rounds)"


@dataclass(frozen=True, slots=True)
class Row:
    """One judged policy. role: logged, uniform, fixed, spec or snapshot.

    estimates: by estimator, empty when refused; the logged policy has the plain `mean` alone: it needs no estimating.
    gain: what it earns more than the logged policy, paired on the same rounds; None for the logged policy itself.
    """

    name: str
    role: str
    estimates: Mapping[str, Estimate]
    gain: Estimate | None
    refusal: str | None
    diagnostics: Diagnostics | None
    period: Period
    note: str = ""

    @property
    def n(self) -> int:
        """The rounds it was judged on."""
        return self.period.n


@dataclass(frozen=True, slots=True)
class Group:
    """The same policies, judged on the rounds of one group of people. refusal: why none could be; `rows` is then empty.

    note: what is known of these people.
    """

    name: str
    n: int
    rows: tuple[Row, ...]
    refusal: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One policy against another, paired. relative: the difference as a share of what the other earned; None where that
    is not surely positive. p_value: corrected for the number of comparisons. more_decisions: about how many would show
    the difference, if it is the true one; None where it is shown, or there is none. sentence: all of it in words.
    """

    policy: str
    against: str
    difference: Estimate
    relative: Estimate | None
    p_value: float
    more_decisions: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What each policy would have earned, every row judged on the same `period`.

    headline: the estimator to read first. trained: what learners named by specification were trained on, if any.
    verdict: a sentence that names the winner, or says that the log can't tell. by: what the groups differ in, if any.
    """

    rows: tuple[Row, ...]
    estimators: tuple[str, ...]
    headline: str
    confidence: float
    log: LogSummary
    period: Period
    trained: Period | None
    notes: tuple[str, ...]
    verdict: str
    comparisons: tuple[Comparison, ...] = ()
    by: str = ""
    groups: tuple[Group, ...] = ()

    def row(self, name: str) -> Row:
        """The row of this policy. Raises KeyError with the known names."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no policy {name!r}; judged were: {[row.name for row in self.rows]}")

    def estimate(self, row: Row) -> Estimate | None:
        """The estimate to read first in this row; None when the policy was refused."""
        return row.estimates.get("mean") or row.estimates.get(self.headline)

    def best(self) -> Row:
        """The row with the highest first-read value; whether it is truly the best, `verdict` says."""
        return max(
            (row for row in self.rows if row.estimates),
            key=lambda row: found.value if (found := self.estimate(row)) else float("-inf"),
        )

    def to_dict(self) -> dict[str, object]:
        """Plain lists, texts and finite numbers, ready for JSON."""
        return {
            "log": asdict(self.log),
            "period": _period(self.period),
            "trained": _period(self.trained) if self.trained else None,
            "confidence": self.confidence,
            "estimators": list(self.estimators),
            "headline": self.headline,
            "rows": [_row(row) for row in self.rows],
            "best": self.best().name,
            "verdict": self.verdict,
            "comparisons": [_comparison(one) for one in self.comparisons],
            "notes": list(self.notes),
            "by": self.by or None,
            "groups": [_group(group) for group in self.groups],
        }


def _comparison(one: Comparison) -> dict[str, object]:
    return {
        "policy": one.policy,
        "against": one.against,
        "difference": _estimate(one.difference),
        "relative": _estimate(one.relative) if one.relative else None,
        "p_value": one.p_value,
        "more_decisions": one.more_decisions,
        "sentence": one.sentence,
    }


def _group(group: Group) -> dict[str, object]:
    return {
        "name": group.name,
        "n": group.n,
        "rows": [_row(row) for row in group.rows],
        "refusal": group.refusal,
        "note": group.note,
    }


def _period(period: Period) -> dict[str, object]:
    return {
        "start": when(period.start, timed=period.timed),
        "end": when(period.end, timed=period.timed),
        "n": period.n,
    }


def _estimate(found: Estimate) -> dict[str, object]:
    names = ("value", "standard_error", "low", "high", "ess", "max_weight", "n", "clusters", "note")
    return {name: getattr(found, name) for name in names}


def _row(row: Row) -> dict[str, object]:
    diagnostics = asdict(row.diagnostics) if row.diagnostics else None
    if diagnostics:
        diagnostics["warnings"] = list(diagnostics["warnings"])
    return {
        "name": row.name,
        "role": row.role,
        "period": _period(row.period),
        "estimates": {name: _estimate(found) for name, found in row.estimates.items()},
        "gain": _estimate(row.gain) if row.gain else None,
        "refusal": row.refusal,
        "diagnostics": diagnostics,
        "note": row.note,
    }
