"""Beside each estimate what is true, where the log is of a world that is known."""

from simulator.evaluation import Evaluation
from simulator.reports.words import words_of
from simulator.rows import Row
from simulator.sentences import LANGUAGES


def truth_table(evaluation: Evaluation) -> tuple[list[str], list[tuple[Row, list[str]]]] | None:
    """Headings, and for each row whose truth is known its cells after the name; None where no truth is."""
    known = [row for row in evaluation.rows if row.truth is not None]
    if not known:
        return None
    words, language = words_of(evaluation), LANGUAGES[evaluation.lang]
    interval = words.interval.format(share=language.cell(evaluation.confidence))
    headings = [words.policy, evaluation.headline.upper(), interval, words.truth, words.holds, words.regret]
    return headings, [(row, _cells(evaluation, row)) for row in known]


def holding(evaluation: Evaluation) -> str | None:
    """How many intervals hold the truth, in a sentence; None where no truth is known."""
    held = [found for row in evaluation.rows if (found := evaluation.holds(row)) is not None]
    whole = LANGUAGES[evaluation.lang].whole
    return words_of(evaluation).held.format(held=whole(sum(held)), known=whole(len(held))) if held else None


def _cells(evaluation: Evaluation, row: Row) -> list[str]:
    words, language = words_of(evaluation), LANGUAGES[evaluation.lang]
    found, holds = evaluation.estimate(row), evaluation.holds(row)
    told = [language.number(found.value), language.interval(found.low, found.high)] if found else [words.refused, ""]
    known = [language.number(row.truth or 0.0), {True: words.yes, False: words.no, None: ""}[holds]]
    return [*told, *known, language.number(row.regret or 0.0, 3)]
