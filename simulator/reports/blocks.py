"""The views of an evaluation as blocks of a report: a title, and a table or why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulator.evaluation import Evaluation, Group, View
from simulator.reports.cells import Rows, first_table, group_title, with_interval
from simulator.reports.words import words_of
from simulator.rows import ASKED, LOGGED, Row
from simulator.sentences import LANGUAGES

MOST_COLUMNS = 5
"""Policies beside each other in a table over time."""


@dataclass(frozen=True, slots=True)
class Block:
    """What a report shows of one group, or of all stretches of time. table: None where it is refused."""

    title: str
    note: str
    refusal: str | None
    table: tuple[list[str], Rows] | None


def blocks(evaluation: Evaluation) -> Iterator[Block]:
    """The slots of a page, groups, stretches of time in one table, metrics."""
    words = words_of(evaluation)
    for view in (one for one in evaluation.views if one.kind == "slot"):
        yield from (_of_group(evaluation, words.differ_in(view), group) for group in view.groups)
    yield from (_of_group(evaluation, evaluation.by, group) for group in evaluation.groups)
    for view in (one for one in evaluation.views if one.kind != "slot"):
        if view.kind == "time":
            yield Block(words.differ_in(view), "", None, _over_time(evaluation, view))
        else:
            yield from (_of_group(evaluation, words.differ_in(view), group) for group in view.groups)


def _of_group(evaluation: Evaluation, by: str, group: Group) -> Block:
    title = group_title(evaluation, by, group)
    return Block(title, group.note, group.refusal, None if group.refusal else first_table(evaluation, group.rows))


def _over_time(evaluation: Evaluation, view: View) -> tuple[list[str], Rows]:
    """A line for each stretch: what was earned, and would have been by those asked for, or else the best of the
    others.
    """
    judged = [row for row in evaluation.rows if row.estimates and row.role != LOGGED]
    judged.sort(key=lambda row: -found.value if (found := evaluation.estimate(row)) else 0.0)
    asked = [row.name for row in evaluation.rows if row.role in ASKED] or [row.name for row in judged]
    names = [LOGGED, *asked[: MOST_COLUMNS - 1]]
    words, language = words_of(evaluation), LANGUAGES[evaluation.lang]
    rows: Rows = []
    for group in view.groups:
        found = {row.name: row for row in group.rows}
        first = replace(evaluation.rows[0], name=group.name, refusal=group.refusal)
        cells = [_cell(evaluation, found.get(name)) for name in names]
        rows.append((first, [language.whole(group.n), *cells]))
    return [words.differ_in(view), words.rounds, *map(words.shown, names)], rows


def _cell(evaluation: Evaluation, row: Row | None) -> str:
    found = evaluation.estimate(row) if row else None
    return with_interval(found, LANGUAGES[evaluation.lang]) if found else words_of(evaluation).refused
