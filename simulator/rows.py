"""One line of an evaluation: a policy on a period of the log. Frozen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from simulator.curves import Points
from simulator.diagnostics import Diagnostics
from simulator.estimators import Estimate
from simulator.findings import Finding, plain
from simulator.logs.log import when
from simulator.sentences import LANGUAGES, Language

LOGGED, UNIFORM, FIXED, SPEC, SNAPSHOT = "logged", "uniform", "fixed", "spec", "snapshot"
REPLAYED = "replayed"
ASKED = (SPEC, SNAPSHOT, REPLAYED)
"""The roles of policies that were asked for."""
CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the log: its first and last time, and its rounds."""

    start: float
    end: float
    n: int
    timed: bool = True

    def __str__(self) -> str:
        return self.told(LANGUAGES["en"])

    def told(self, language: Language) -> str:
        """In words of that language."""
        start, end = (when(time, timed=self.timed, row=language.row) for time in (self.start, self.end))
        return language.period.format(start=start, end=end, n=language.whole(self.n))


@dataclass(frozen=True, slots=True)
class Row:
    """One judged policy. role: logged, uniform, fixed, spec, snapshot or replayed; control for what the control group
    earned.

    estimates: by estimator, empty when refused; the logged policy has the plain `mean` alone: it needs no estimating;
    one that was replayed has one value as well, under the same name.
    gain: what it earns more than the logged policy, paired on the same rounds; None for the logged policy itself.
    tail: how its weights fall off, see `simulator.curves.tail`. findings: what was checked about it. forced: its
    numbers stand although a finding about it, or about the whole log, is red. slots: on a page, the diagnostics of each
    slot by itself. truth: what it is worth, where the log is of a world that is known; regret: how much less than the
    best that is possible there.
    """

    name: str
    role: str
    estimates: Mapping[str, Estimate]
    gain: Estimate | None
    refusal: str | None
    diagnostics: Diagnostics | None
    period: Period
    note: str = ""
    tail: Points = ()
    findings: tuple[Finding, ...] = ()
    forced: bool = False
    slots: Mapping[str, Diagnostics] = field(default_factory=dict)
    truth: float | None = None
    regret: float | None = None

    @property
    def n(self) -> int:
        """The rounds it was judged on."""
        return self.period.n


def plain_row(row: Row) -> dict[str, object]:
    """Ready for JSON."""
    return {
        "name": row.name,
        "role": row.role,
        "period": plain_period(row.period),
        "estimates": {name: plain_estimate(found) for name, found in row.estimates.items()},
        "gain": plain_estimate(row.gain) if row.gain else None,
        "refusal": row.refusal,
        "diagnostics": _diagnostics(row.diagnostics) if row.diagnostics else None,
        "slots": {slot: _diagnostics(found) for slot, found in row.slots.items()},
        "findings": [plain(finding) for finding in row.findings],
        "forced": row.forced,
        "tail": [list(point) for point in row.tail],
        "note": row.note,
        "truth": row.truth,
        "regret": row.regret,
    }


def plain_period(period: Period) -> dict[str, object]:
    """Ready for JSON."""
    return {
        "start": when(period.start, timed=period.timed),
        "end": when(period.end, timed=period.timed),
        "n": period.n,
    }


def plain_estimate(found: Estimate) -> dict[str, object]:
    """Ready for JSON: without its influence."""
    names = ("value", "standard_error", "low", "high", "ess", "max_weight", "n", "clusters", "note", "interval")
    return {name: getattr(found, name) for name in names}


def _diagnostics(found: Diagnostics) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(found).items()}
