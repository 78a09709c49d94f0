"""What the reports of an evaluation have in common: titles, tables as cells, sentences and remarks."""

from collections.abc import Sequence

from simulator.estimators import Estimate
from simulator.evaluation import ASKED, CONTROL, FIXED, Comparison, Evaluation, Row
from simulator.evaluation import Group as People
from simulator.findings import Severity, refusal
from simulator.truth import truth_table

MAX_REFUSALS = 5
GROUPS_NOTE = "Each group is judged by itself: of many, some differ by chance. The JSON form says why a row is refused."

Rows = list[tuple[Row, list[str]]]
"""The rows of a table, and the cells of each after its name."""


def said(evaluation: Evaluation) -> Sequence[Comparison]:
    """The comparisons of policies that were asked for, and the lift; of the others the verdict and the table say
    enough.
    """
    asked = {row.name for row in evaluation.rows if row.role in ASKED}
    return [one for one in evaluation.comparisons if one.policy in asked or one.against == CONTROL]


def title(evaluation: Evaluation) -> str:
    log = evaluation.log
    return f"{log.name}, {log.slot}: {evaluation.period}"


def group_title(evaluation: Evaluation, group: People) -> str:
    return f"{evaluation.by}: {group.name} ({group.n:,} rounds)"


def grid_title(evaluation: Evaluation) -> str:
    """Of the table of all that could be chosen; empty where nothing was."""
    grid = evaluation.grid
    return f"the grid, on the rounds that chose {grid.chosen!r}: {grid.period}" if grid else ""


def first_table(evaluation: Evaluation, rows: Sequence[Row]) -> tuple[list[str], Rows]:
    """What to read first: value, gain, diagnostics."""
    interval = f"{evaluation.confidence:.0%} interval"
    headings = ["policy", evaluation.headline.upper(), interval, "against logged", "ESS", "support"]
    return headings, [(row, _first_cells(evaluation, row)) for row in rows]


def tables(evaluation: Evaluation) -> list[tuple[list[str], Rows]]:
    """What to read first; then every estimator beside the others."""
    tables = [first_table(evaluation, evaluation.rows)]
    if len(evaluation.estimators) > 1:
        judged = [row for row in evaluation.rows if set(evaluation.estimators) <= set(row.estimates)]
        estimates = [(row, [with_interval(row.estimates[name]) for name in evaluation.estimators]) for row in judged]
        if estimates:
            tables.append((["policy", *(name.upper() for name in evaluation.estimators)], estimates))
    if known := truth_table(evaluation):
        tables.append(known)
    return tables


def _first_cells(evaluation: Evaluation, row: Row) -> list[str]:
    found = evaluation.estimate(row)
    told = [f"{found.value:.4g}", _interval(found)] if found else ["refused", ""]
    gain = f"{row.gain.value:+.3g} [{row.gain.low:+.3g}, {row.gain.high:+.3g}]" if row.gain else ""
    if row.diagnostics is None:
        return [*told, gain, f"{found.ess:,.0f}" if found else "", ""]
    about = "" if row.diagnostics.support_exact else "~"
    return [*told, gain, f"{row.diagnostics.ess:,.0f}", f"{about}{row.diagnostics.support:.0%}"]


def _interval(found: Estimate) -> str:
    return f"[{found.low:.3g}, {found.high:.3g}]"


def with_interval(found: Estimate) -> str:
    return f"{found.value:.3g} {_interval(found)}" + (f", {found.note}" if found.note else "")


def shown_name(row: Row) -> str:
    """The name of a row, and whether its numbers were forced."""
    return f"{row.name} (forced)" if row.forced else row.name


def remarks(evaluation: Evaluation) -> list[str]:
    """Refusals, notes and warnings of the rows, one line each; of many refused fixed variants the first few. Those that
    are refused because the whole log is, together.
    """
    unsound = refusal(evaluation.findings)
    alike = [row.name for row in evaluation.rows if row.refusal and row.refusal == unsound]
    lines = [f"No policy can be judged: {unsound}. To see numbers all the same: --force."] if alike else []
    untold = 0
    for row in evaluation.rows:
        if row.name in alike:
            continue
        if row.refusal and row.role == FIXED and (untold or _told(lines) >= MAX_REFUSALS):
            untold += 1
            continue
        lines += [f"{row.name}: refused, {row.refusal}."] if row.refusal else []
        lines += [f"{row.name}: {row.note}."] if row.note else []
        warnings = [one for one in row.findings if row.estimates and one.severity is not Severity.GREEN]
        lines += [f"{row.name}: {one.says}" for one in warnings]
    if untold:
        lines.append(f"{untold} more fixed variants are refused for such reasons; the JSON form has each.")
    return lines


def _told(lines: Sequence[str]) -> int:
    return sum(": refused, " in line for line in lines)


def made_by(evaluation: Evaluation, row: Row) -> str:
    """Which estimator, interval, period, snapshot and formula made the numbers of a row, in one line."""
    found = evaluation.estimate(row)
    parts = [f"{found.estimator.upper()}, {found.interval} {evaluation.confidence:.0%} interval"] if found else []
    parts += [str(row.period), row.note]
    if formula := evaluation.provenance.get("reward"):
        parts.append(f"reward {formula}")
    return "; ".join(part for part in parts if part)
