"""What the reports of an evaluation have in common: titles, tables as cells, sentences and remarks."""

from collections.abc import Sequence

from simulator.estimators import Estimate
from simulator.evaluation import Comparison, Evaluation, Group
from simulator.findings import Severity, refusal
from simulator.reports.truths import truth_table
from simulator.reports.words import words_of
from simulator.rows import ASKED, CONTROL, FIXED, Row
from simulator.sentences import LANGUAGES, Language

MAX_REFUSALS = 5
MAX_NAMES = 4
"""Rows that are named beside an advice that is for all of them."""

Rows = list[tuple[Row, list[str]]]
"""The rows of a table, and the cells of each after its name."""


def said(evaluation: Evaluation) -> Sequence[Comparison]:
    """The comparisons of policies that were asked for, or else of the best one, and the lift; of the others the verdict
    and the table say enough.
    """
    asked = {row.name for row in evaluation.rows if row.role in ASKED} or {evaluation.best().name}
    return [one for one in evaluation.comparisons if one.policy in asked or one.against == CONTROL]


def title(evaluation: Evaluation) -> str:
    log = evaluation.log
    return f"{log.name}, {log.slot}: {evaluation.period.told(_language(evaluation))}"


def group_title(evaluation: Evaluation, by: str, group: Group) -> str:
    """by: what the groups differ in."""
    n = _language(evaluation).whole(group.n)
    return words_of(evaluation).group.format(by=by, name=group.name, n=n)


def grid_title(evaluation: Evaluation) -> str:
    """Of the table of all that could be chosen; empty where nothing was."""
    if (grid := evaluation.grid) is None:
        return ""
    period = grid.period.told(_language(evaluation))
    return words_of(evaluation).grid.format(chosen=repr(grid.chosen), period=period)


def first_table(evaluation: Evaluation, rows: Sequence[Row]) -> tuple[list[str], Rows]:
    """What to read first: value, gain, diagnostics."""
    words = words_of(evaluation)
    interval = words.interval.format(share=_language(evaluation).cell(evaluation.confidence))
    headings = [words.policy, evaluation.headline.upper(), interval, words.against, words.ess, words.support]
    return headings, [(row, _first_cells(evaluation, row)) for row in rows]


def tables(evaluation: Evaluation) -> list[tuple[list[str], Rows]]:
    """What to read first; then every estimator beside the others."""
    tables = [first_table(evaluation, evaluation.rows)]
    if len(evaluation.estimators) > 1:
        judged = [row for row in evaluation.rows if set(evaluation.estimators) <= set(row.estimates)]
        language, names = _language(evaluation), evaluation.estimators
        estimates = [(row, [with_interval(row.estimates[name], language) for name in names]) for row in judged]
        if estimates:
            tables.append(([words_of(evaluation).policy, *(name.upper() for name in names)], estimates))
    if known := truth_table(evaluation):
        tables.append(known)
    return tables


def _first_cells(evaluation: Evaluation, row: Row) -> list[str]:
    found, language = evaluation.estimate(row), _language(evaluation)
    told = [words_of(evaluation).refused, ""]
    if found:
        told = [language.number(found.value), language.interval(found.low, found.high)]
    gain = language.gain(row.gain.value, row.gain.low, row.gain.high) if row.gain else ""
    if row.diagnostics is None:
        return [*told, gain, language.whole(found.ess) if found else "", ""]
    about = "" if row.diagnostics.support_exact else "~"
    return [*told, gain, language.whole(row.diagnostics.ess), f"{about}{language.cell(row.diagnostics.support)}"]


def with_interval(found: Estimate, language: Language) -> str:
    """A value, its interval, and what was chosen from the data."""
    told = f"{language.number(found.value, 3)} {language.interval(found.low, found.high)}"
    return f"{told}, {language.written(found.note)}" if found.note else told


def shown_name(evaluation: Evaluation, row: Row) -> str:
    """The name of a row, and whether its numbers were forced."""
    words = words_of(evaluation)
    name = words.shown(row.name)
    return words.forced.format(name=name) if row.forced else name


def _language(evaluation: Evaluation) -> Language:
    return LANGUAGES[evaluation.lang]


def remarks(evaluation: Evaluation) -> list[str]:
    """Refusals, notes and warnings of the rows, one line each; of many refused fixed variants the first few. Those that
    are refused because the whole log is, together.
    """
    words, unsound = words_of(evaluation), refusal(evaluation.findings)
    alike = [row.name for row in evaluation.rows if row.refusal and row.refusal == unsound]
    lines = [words.none_judged] if alike else []
    told = untold = 0
    for row in evaluation.rows:
        if row.name in alike:
            continue
        if row.refusal and row.role == FIXED and (untold or told >= MAX_REFUSALS):
            untold += 1
            continue
        name = words.shown(row.name)
        if row.refusal:
            told += 1
            lines.append(words.row_refused.format(name=name, why=row.refusal))
        lines += [f"{name}: {row.note}."] if row.note else []
        warnings = [one for one in row.findings if row.estimates and one.severity is not Severity.GREEN]
        lines += [f"{name}: {one.says}" for one in warnings]
    if untold:
        lines.append(words.more_refused.format(n=untold))
    return lines + _advice(evaluation, unsound)


def _advice(evaluation: Evaluation, unsound: str | None) -> list[str]:
    """What to do about what was found of single rows: each advice once, with the rows that it is for."""
    words, names = words_of(evaluation), dict[str, list[str]]()
    for row in evaluation.rows:
        worth = (Severity.RED,) if row.refusal else (Severity.RED, Severity.AMBER)
        for one in row.findings:
            if one.do and one.severity in worth and (row.refusal is None or row.refusal != unsound):
                names.setdefault(one.do, []).append(words.shown(row.name))
    told = {do: ", ".join(of[:MAX_NAMES]) + (", …" if len(of) > MAX_NAMES else "") for do, of in names.items()}
    return [words.to_do.format(names=of, do=do) for do, of in told.items()]


def made_by(evaluation: Evaluation, row: Row) -> str:
    """Which estimator, interval, period, snapshot and formula made the numbers of a row, in one line."""
    found, words, language = evaluation.estimate(row), words_of(evaluation), _language(evaluation)
    parts = []
    if found:
        share = language.cell(evaluation.confidence)
        by = words.mean if found.estimator == "mean" else found.estimator
        parts.append(words.made_by.format(estimator=by.upper(), interval=found.interval, share=share))
    parts += [row.period.told(language), row.note]
    if formula := evaluation.provenance.get("reward"):
        parts.append(words.reward.format(formula=formula))
    return "; ".join(part for part in parts if part)
