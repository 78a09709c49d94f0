"""What was found out about a log, or about a policy on it: how bad it is, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    GREEN = "green"  # as it should be
    AMBER = "amber"  # read the numbers with care
    RED = "red"  # no number can be trusted

    @property
    def rank(self) -> int:
        """The worst first."""
        return ("red", "amber", "green").index(self.value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. check: in short, `support`, `sample_ratio` …; says: what was found, with its numbers,
    in one sentence; do: what to do about it, in one sentence, empty where nothing is to be done.
    """

    check: str
    severity: Severity
    says: str
    do: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


def refusal(findings: Iterable[Finding]) -> str | None:
    """The reason that the first red finding gives, to stand after "refused,"; None where none is red."""
    for finding in findings:
        if finding.severity is Severity.RED:
            return finding.says[:1].lower() + finding.says[1:].removesuffix(".")
    return None


def plain(finding: Finding) -> dict[str, object]:
    """For JSON."""
    return {**asdict(finding), "severity": finding.severity.value, "numbers": dict(finding.numbers)}
