"""The rows of `simulator.judging`, and its groups, of a log of which sums are kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.types import RewardRange
from simulator.asked import Asked
from simulator.candidates import Entry
from simulator.checks import diagnose_policy
from simulator.estimators import Estimate, difference
from simulator.evaluation import Group
from simulator.findings import refusal
from simulator.groups import MIN_ROUNDS
from simulator.judging import no_difference
from simulator.rows import LOGGED, Period, Row
from simulator.sentences import LANGUAGES, Language
from simulator.streams.judge import WHOLE, Judged
from simulator.streams.pieces import Reader
from simulator.streams.summed import NOBODY, SUMMED, Evident, diagnostics, earned, within
from simulator.streams.sums import Sums


@dataclass(frozen=True, slots=True, eq=False)
class SummedPart:
    """Rounds to be judged together. bounds: what a mean reward can be. exact: all probabilities are known. evident:
    what is known of each judged policy, by name. earned: what the logged policy did.
    """

    sums: Sums
    bounds: tuple[float, float]
    timed: bool
    exact: bool
    evident: Mapping[str, Evident]
    earned: Estimate

    @classmethod
    def of(
        cls,
        sums: Sums,
        policies: tuple[str, ...],
        *,
        declared: RewardRange,
        timed: bool,
        exact: bool,
        confidence: float,
    ) -> "SummedPart":
        """declared: what a reward can be, as it was told."""
        low, high = min(declared.low, sums.reward_span[0]), max(declared.high, sums.reward_span[1])
        columns = sums.columns
        evident = {policy: Evident(sums, columns, place, low, high) for place, policy in enumerate(policies)}
        return cls(sums, (low, high), timed, exact, evident, earned(sums, (low, high), confidence))

    @property
    def period(self) -> Period:
        return Period(*self.sums.time_span, self.sums.n, self.timed)


def untold(name: str, sums: Sums, language: Language = LANGUAGES["en"]) -> str | None:
    """As `simulator.judging.nothing_to_tell`."""
    low, high = sums.reward_span
    return no_difference(name, sums.n, low if low == high else None, sums.clusters < 2, language)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of every part. policies: those that were judged, in the order of the sums; refusals: of the others."""

    candidates: tuple[Entry, ...]
    refusals: Mapping[str, str]
    asked: Asked
    policies: tuple[str, ...]
    reader: Reader
    judged: Judged

    def of(self, name: str) -> tuple[Row, ...]:
        """Of the part of this name, the logged policy first."""
        part = SummedPart.of(
            self.judged.sums[name],
            self.policies,
            declared=self.reader.mapping.reward_range,
            timed=self.reader.timed,
            exact=self.judged.known,
            confidence=self.asked.confidence,
        )
        return logged_row(part), *(self._row(part, entry, name) for entry in self.candidates)

    def group(self, name: str) -> Group:
        """The rows of a group, or why it can't be judged by itself."""
        sums, language = self.judged.sums[name], self.asked.language
        refusal = untold(self.reader.name, sums, language)
        if sums.n < MIN_ROUNDS:
            refusal = language.too_few_rounds.format(n=language.whole(sums.n), least=MIN_ROUNDS)
        return Group(name, sums.n, () if refusal else self.of(name), refusal)

    def _row(self, part: SummedPart, entry: Entry, name: str) -> Row:
        note = entry.note if name == WHOLE else ""
        if reason := self.refusals.get(entry.name):
            return refused_row(part, entry, reason, note)
        actions, eligible = self.reader.actions or (), self.judged.eligible[name]
        if entry.fixed is not None and not any(
            count for action, count in zip(actions, eligible, strict=True) if action.id == entry.fixed
        ):
            reason = self.asked.language.never_eligible.format(variant=repr(entry.fixed))
            return refused_row(part, entry, reason, note)
        return judged_row(part, entry, self.asked, note)


def logged_row(part: SummedPart) -> Row:
    """The row of the logged policy, which needs no estimating."""
    return Row(LOGGED, LOGGED, {"mean": part.earned}, None, None, None, part.period)


def refused_row(part: SummedPart, entry: Entry, reason: str, note: str) -> Row:
    """The row of a policy that can't be judged on these rounds."""
    return Row(entry.name, entry.role, {}, None, reason, None, part.period, note)


def judged_row(part: SummedPart, entry: Entry, asked: Asked, note: str) -> Row:
    """The row of a policy that is among the sums: diagnostics first, estimates only if they allow it."""
    x = part.evident[entry.name]
    found = diagnostics(x, exact=part.exact)
    findings = diagnose_policy(found, lang=asked.lang)
    reason = refusal(findings)
    told = reason is None or (asked.force and found.ess > 0.0)  # no weight at all tells nothing, forced or not
    estimates: dict[str, Estimate] = {}
    gain: Estimate | None = None
    if told:
        estimates = {one: within(SUMMED[one](x, asked.confidence), part.bounds) for one in asked.estimators}
        gain = difference(estimates[asked.headline], part.earned, NOBODY, confidence=asked.confidence)
    return Row(
        entry.name,
        entry.role,
        estimates,
        gain,
        None if told else reason,
        found,
        part.period,
        note,
        findings=findings,
        forced=told and bool(reason or asked.unsound),
    )
