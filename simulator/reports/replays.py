"""How a learner learned, as tables: one for each replay of an evaluation."""

from collections.abc import Iterator
from html import escape

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simulator.evaluation import Evaluation
from simulator.logs.log import when
from simulator.replay.record import Replay
from simulator.replay.words import WORDS
from simulator.reports import markup
from simulator.sentences import LANGUAGES


def curves(evaluation: Evaluation) -> Iterator[Text | Table]:
    """For the terminal."""
    for one in evaluation.replays:
        yield Text("")
        yield Text(curve_title(one, evaluation.lang), style="italic")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        headings, rows = curve_cells(one, timed=evaluation.log.timed, lang=evaluation.lang)
        for place, heading in enumerate(headings):
            table.add_column(heading, overflow="fold", justify="right" if place else "left")
        for cells in rows:
            table.add_row(*cells)
        yield table


def curves_html(evaluation: Evaluation) -> str:
    """For the page; all text escaped."""
    parts = []
    for one in evaluation.replays:
        headings, rows = curve_cells(one, timed=evaluation.log.timed, lang=evaluation.lang)
        named = curve_title(one, evaluation.lang)
        parts.append(f"<h2>{escape(named)}</h2>\n{markup.table(headings, map(markup.Line, rows), label=named)}")
    return "\n".join(parts)


def curve_title(one: Replay, lang: str) -> str:
    """Which learner, how, and why so."""
    return WORDS[lang].title.format(policy=one.policy, method=one.method, why=one.why)


def curve_cells(one: Replay, *, timed: bool, lang: str) -> tuple[list[str], list[list[str]]]:
    """Headings, and a line for each tenth of the log: when it ended, how many rounds were the learner's own, its value
    there, and from the beginning up to there.
    """
    words, language = WORDS[lang], LANGUAGES[lang]
    headings = [words.until, words.own, words.there, words.so_far]
    rows = [
        [
            when(stretch.end, timed=timed, row=language.row),
            language.whole(stretch.used),
            _interval(stretch.value, lang),
            _interval(stretch.so_far, lang),
        ]
        for stretch in one.curve
    ]
    return headings, rows


def _interval(found: tuple[float, float, float] | None, lang: str) -> str:
    if found is None:
        return WORDS[lang].not_known
    language, (value, low, high) = LANGUAGES[lang], found
    return f"{language.number(value, 3)} {language.interval(low, high)}"
