"""What an evaluation says: its rows, in order, and what may be concluded. Frozen; made by `simulator.evaluate`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from simulator.curves import Bin
from simulator.estimators import Estimate
from simulator.findings import Finding, plain, refusal
from simulator.logs.log import LogSummary
from simulator.replay.record import Replay
from simulator.rows import CONTROL, Period, Row, plain_estimate, plain_period, plain_row


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
class View:
    """The same policies, judged in other ways than on the whole. kind: `group`, by the values of a key; `time`, in one
    stretch after the other; `slot`, each slot of a page alone, the others as logged; `metric`, each metric's own mean a
    decision. key: which key, the length of a stretch; empty for slots and metrics.
    """

    kind: str
    key: str
    groups: tuple[Group, ...]


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
class Grid:
    """Specifications among which one was chosen. rows: how all did on the rounds that chose, which judge nothing else.
    comparisons: of each with what was served there, corrected for their number.
    """

    chosen: str
    period: Period
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What each policy would have earned, every row judged on the same `period`.

    headline: the estimator to read first. trained: what learners named by specification were trained on, if any.
    verdict: a sentence that names the winner, or says that the log can't tell. by: what the groups differ in, if any.
    views: the other ways in which the policies were judged, further keys among them. slots: those of a page, in the
    order in which they were decided; empty where one slot was judged.
    calibration: what was chosen beside what was said to be probable. findings: what was checked about the whole log.
    asked: the names of the policies that were asked for. provenance: what made it, by name, so that it can be made
    again: what was asked, the formula of the reward, versions. replays: how each replayed learner went through the log.
    grid: among which the policy was chosen, if it was. lang: of its sentences.
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
    views: tuple[View, ...] = ()
    slots: tuple[str, ...] = ()
    calibration: tuple[Bin, ...] = ()
    findings: tuple[Finding, ...] = ()
    asked: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)
    replays: tuple[Replay, ...] = ()
    grid: Grid | None = None
    lang: str = "en"

    def __repr__(self) -> str:
        told = f"{len(self.rows)} rows by {self.headline.upper()}"
        return f"<Evaluation of {self.log.name!r}, {self.log.slot!r}: {self.period}, {told}. {self.verdict}>"

    def _repr_html_(self) -> str:
        """For notebooks: the page without its figures, which `Report` gives."""
        from simulator.reports.html import Report  # here, since reports are made of what this module defines

        return Report(self)._repr_html_()

    @property
    def forced(self) -> bool:
        """Whether any number stands although a finding is red."""
        return any(row.forced for row in self.rows)

    @property
    def answered(self) -> bool:
        """Whether any policy that was asked for has numbers, on the whole, in a view, or in one slot of a page; where
        none was, whether the log may tell of policies.
        """
        if self.asked:
            groups = (*self.groups, *(group for view in self.views for group in view.groups))
            rows = (*self.rows, *(row for group in groups for row in group.rows))
            return any(row.estimates for row in rows if row.name in self.asked)
        return self.forced or refusal(self.findings) is None

    def row(self, name: str) -> Row:
        """The row of this policy. Raises KeyError with the known names."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no policy {name!r}; judged were: {[row.name for row in self.rows]}")

    def estimate(self, row: Row) -> Estimate | None:
        """The estimate to read first in this row; None when the policy was refused."""
        return row.estimates.get("mean") or row.estimates.get(self.headline)

    @property
    def lift(self) -> Comparison | None:
        """What was served against the control group; None where there is none, or too little of it."""
        return next((one for one in self.comparisons if one.against == CONTROL), None)

    def holds(self, row: Row) -> bool | None:
        """Whether the first-read interval of this row holds the truth; None where either is not known."""
        found = self.estimate(row)
        return None if found is None or row.truth is None else found.low <= row.truth <= found.high

    def best(self) -> Row:
        """The row with the highest first-read value; whether it is truly the best, `verdict` says. Not the control
        group: `lift` compares it.
        """
        return max(
            (row for row in self.rows if row.estimates and row.role != CONTROL),
            key=lambda row: found.value if (found := self.estimate(row)) else float("-inf"),
        )

    def to_dict(self) -> dict[str, object]:
        """Plain lists, texts and finite numbers, ready for JSON."""
        return {
            "log": asdict(self.log),
            "period": plain_period(self.period),
            "trained": plain_period(self.trained) if self.trained else None,
            "confidence": self.confidence,
            "estimators": list(self.estimators),
            "headline": self.headline,
            "rows": [plain_row(row) for row in self.rows],
            "best": self.best().name,
            "verdict": self.verdict,
            "comparisons": [_comparison(one) for one in self.comparisons],
            "notes": list(self.notes),
            "by": self.by or None,
            "groups": [_group(group) for group in self.groups],
            "views": [_view(view) for view in self.views],
            "lift": _comparison(self.lift) if self.lift else None,
            "slots": list(self.slots),
            "calibration": [asdict(one) for one in self.calibration],
            "findings": [plain(finding) for finding in self.findings],
            "forced": self.forced,
            "asked": list(self.asked),
            "provenance": dict(self.provenance),
            "replays": [one.to_dict(timed=self.log.timed) for one in self.replays],
            "grid": _grid(self.grid) if self.grid else None,
        }


def _comparison(one: Comparison) -> dict[str, object]:
    return {
        "policy": one.policy,
        "against": one.against,
        "difference": plain_estimate(one.difference),
        "relative": plain_estimate(one.relative) if one.relative else None,
        "p_value": one.p_value,
        "more_decisions": one.more_decisions,
        "sentence": one.sentence,
    }


def _grid(grid: Grid) -> dict[str, object]:
    return {
        "chosen": grid.chosen,
        "period": plain_period(grid.period),
        "rows": [plain_row(row) for row in grid.rows],
        "comparisons": [_comparison(one) for one in grid.comparisons],
    }


def _group(group: Group) -> dict[str, object]:
    return {
        "name": group.name,
        "n": group.n,
        "rows": [plain_row(row) for row in group.rows],
        "refusal": group.refusal,
        "note": group.note,
    }


def _view(view: View) -> dict[str, object]:
    return {"kind": view.kind, "key": view.key or None, "groups": [_group(group) for group in view.groups]}
