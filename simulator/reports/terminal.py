"""An evaluation as people read it in the terminal, and as JSON."""

import json

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.evaluation import Evaluation
from simulator.reports.blocks import blocks
from simulator.reports.cells import (
    Rows,
    first_table,
    grid_title,
    remarks,
    said,
    shown_name,
    tables,
    title,
)
from simulator.reports.finding_lines import STYLES
from simulator.reports.finding_lines import lines as finding_lines
from simulator.reports.replays import curves
from simulator.reports.truths import holding
from simulator.reports.words import words_of
from simulator.rows import Row


def render(evaluation: Evaluation) -> Group:
    """A rich renderable: two tables, then the verdict, refusals, warnings and notes, and a table for each group. All
    names stay plain text.
    """
    best = evaluation.best()
    lines: list[Table | Text] = [Text(title(evaluation), style="italic")]
    words = words_of(evaluation)
    lines += [_table(evaluation, headings, rows, best) for headings, rows in tables(evaluation)]
    lines += [Text(line) for line in [holding(evaluation)] if line]
    lines.append(Text(evaluation.verdict, style="bold"))
    lines += [Text(one.sentence) for one in said(evaluation)]
    told = finding_lines(evaluation.findings, lang=evaluation.lang)
    lines += [Text(line, style=STYLES[severity]) for severity, line in told]
    lines += [Text(line, style="yellow") for line in remarks(evaluation)]
    lines += [Text(note, style="dim") for note in evaluation.notes]
    lines += curves(evaluation)
    if evaluation.grid:
        lines += [Text(line, style="italic") for line in ("", grid_title(evaluation))]
        lines.append(_table(evaluation, *first_table(evaluation, evaluation.grid.rows), None))
        lines += [Text(one.sentence) for one in evaluation.grid.comparisons]
    shown = list(blocks(evaluation))
    for block in shown:
        lines += [Text(line, style="italic") for line in ("", block.title, block.note) if line]
        why = Text(words.refused_why.format(why=block.refusal), style="yellow")
        lines.append(_table(evaluation, *block.table, None) if block.table else why)
    lines += [Text(words.groups_note, style="dim")] if shown else []
    return Group(*lines)


def _table(evaluation: Evaluation, headings: list[str], rows: Rows, best: Row | None) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="right" if place else "left")
    for row, cells in rows:
        style = "green" if row is best else "dim" if row.refusal else None
        table.add_row(*(Text(cell) for cell in (shown_name(evaluation, row), *cells)), style=style)
    return table


def to_json(evaluation: Evaluation) -> str:
    """The whole evaluation as indented JSON."""
    return json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
