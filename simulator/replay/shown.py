"""How a learner learned, as tables: one for each replay of an evaluation."""

from collections.abc import Iterator
from html import escape

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simulator.evaluation import Evaluation
from simulator.logs.log import when
from simulator.replay.record import Replay
from simulator.reports import markup


def curves(evaluation: Evaluation) -> Iterator[Text | Table]:
    """For the terminal."""
    for one in evaluation.replays:
        yield Text("")
        yield Text(curve_title(one), style="italic")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        headings, rows = curve_cells(one, timed=evaluation.log.timed)
        for place, heading in enumerate(headings):
            table.add_column(heading, overflow="fold", justify="right" if place else "left")
        for cells in rows:
            table.add_row(*cells)
        yield table


def curves_html(evaluation: Evaluation) -> str:
    """For the page; all text escaped."""
    parts = []
    for one in evaluation.replays:
        headings, rows = curve_cells(one, timed=evaluation.log.timed)
        named = curve_title(one)
        parts.append(f"<h2>{escape(named)}</h2>\n{markup.table(headings, map(markup.Line, rows), label=named)}")
    return "\n".join(parts)


def curve_title(one: Replay) -> str:
    """Which learner, how, and why so."""
    return f"{one.policy} as it learned, by {one.method}: {one.why}"


def curve_cells(one: Replay, *, timed: bool) -> tuple[list[str], list[list[str]]]:
    """Headings, and a line for each tenth of the log: when it ended, how many rounds were the learner's own, its value
    there, and from the beginning up to there.
    """
    headings = ["tenth until", "its own", "value there", "value so far"]
    rows = [
        [
            when(stretch.end, timed=timed),
            f"{stretch.used:,.0f}",
            _interval(stretch.value),
            _interval(stretch.so_far),
        ]
        for stretch in one.curve
    ]
    return headings, rows


def _interval(found: tuple[float, float, float] | None) -> str:
    return f"{found[0]:.3g} [{found[1]:.3g}, {found[2]:.3g}]" if found else "not known"
