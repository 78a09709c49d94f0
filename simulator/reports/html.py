"""An evaluation as a page that needs no network, and as a notebook shows it. All text from outside is escaped."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import Any

from simulator.evaluation import Evaluation
from simulator.findings import Severity
from simulator.reports.blocks import Block, blocks
from simulator.reports.cells import (
    Rows,
    first_table,
    grid_title,
    made_by,
    remarks,
    said,
    shown_name,
    tables,
    title,
)
from simulator.reports.finding_lines import lines as finding_lines
from simulator.reports.legend import legend
from simulator.reports.markup import STYLE, Line, figure, table
from simulator.reports.plots import FIGURES, PlotlyMissing
from simulator.reports.replays import curves_html
from simulator.reports.truths import holding
from simulator.reports.words import PLOTLY, words_of
from simulator.rows import Row


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation in a notebook: shown by itself it is the page without its figures, which `figure` gives."""

    evaluation: Evaluation

    def figure(self, name: str = "values") -> Any:
        """The plotly Figure of this name, one of `FIGURES`; None where there is nothing to show.

        Raises PlotlyMissing, and KeyError with the known names.
        """
        if name not in FIGURES:
            raise KeyError(f"no figure {name!r}; there are: {list(FIGURES)}")
        return FIGURES[name](self.evaluation)

    def _repr_html_(self) -> str:
        return f'<style>{STYLE}</style>\n<div class="elige">{_body(self.evaluation, {})}</div>'


def to_html(evaluation: Evaluation) -> str:
    """The whole page: verdict, figures (plotly.js within), tables, remarks, and what made it."""
    body = _body(evaluation, _figures(evaluation))
    return _PAGE.format(lang=evaluation.lang, title=escape(title(evaluation)), style=STYLE, body=body)


def _body(evaluation: Evaluation, figures: Mapping[str, str]) -> str:
    best = evaluation.best()
    first, *others = tables(evaluation)
    parts = [
        f"<h1>{escape(title(evaluation))}</h1>",
        _findings(evaluation, red=True),  # before any number, which they make doubtful or are the reason for none
        f'<p class="verdict">{escape(evaluation.verdict)}</p>',
        *(f"<p>{escape(one.sentence)}</p>" for one in said(evaluation)),
        figures.get("missing", ""),
        figures.get("values", ""),
        _table(*first, best, evaluation),
        *(f'<p class="legend">{escape(line)}</p>' for line in (_made_alike(evaluation), legend(evaluation)) if line),
        *(_table(headings, rows, best, evaluation) for headings, rows in others),
        f"<p>{escape(line)}</p>" if (line := holding(evaluation)) else "",
        _findings(evaluation, red=False),
        _list([*remarks(evaluation), *evaluation.notes]),
        figures.get("learning", ""),
        curves_html(evaluation),
        f"<h2>{escape(grid_title(evaluation))}</h2>" if evaluation.grid else "",
        _table(*first_table(evaluation, evaluation.grid.rows), None, evaluation) if evaluation.grid else "",
        figures.get("groups", ""),
        figures.get("time", ""),
        *(_block(evaluation, block) for block in blocks(evaluation)),
        f"<p>{escape(words_of(evaluation).groups_note)}</p>" if evaluation.groups or evaluation.views else "",
        figures.get("weights", ""),
        figures.get("calibration", ""),
        _made_by(evaluation),
    ]
    return "\n".join(part for part in parts if part)


def _figures(evaluation: Evaluation) -> dict[str, str]:
    """By name; the first brings plotly.js, which is then there for the others."""
    found: dict[str, str] = {}
    try:
        for name, draw in FIGURES.items():
            if (plot := draw(evaluation)) is not None:
                drawing = plot.to_html(
                    full_html=False,
                    include_plotlyjs=not found,
                    config=_config(evaluation.lang),
                    div_id=f"figure-{name}",
                )
                found[name] = figure(drawing, label=unescape(plot.layout.title.text))
    except PlotlyMissing as missing:
        return {"missing": f'<p class="missing">{escape(str(missing))}</p>'}
    return found


def _config(lang: str) -> dict[str, Any]:
    """Of plotly, which says its own words in English unless it is given others."""
    locales = {lang: {"dictionary": PLOTLY[lang]}}
    buttons = [["toImage"]]
    return {"displaylogo": False, "modeBarButtons": buttons, "responsive": True, "locale": lang, "locales": locales}


def _table(headings: list[str], rows: Rows, best: Row | None, evaluation: Evaluation, *, label: str = "") -> str:
    lines = [
        Line(
            (shown_name(evaluation, row), *cells),
            kind="best" if row is best else "refused" if row.refusal else "",
            about=made_by(evaluation, row),
        )
        for row, cells in rows
    ]
    return table(headings, lines, label=label or title(evaluation))


def _made_alike(evaluation: Evaluation) -> str:
    """What made the numbers of every row that was estimated; empty where none was."""
    for row in evaluation.rows:
        if evaluation.headline in row.estimates:
            return made_by(evaluation, replace(row, note=""))
    return ""


def _block(evaluation: Evaluation, block: Block) -> str:
    heading = f"<h2>{escape(block.title)}</h2>"
    note = f"<p>{escape(block.note)}</p>" if block.note else ""
    if block.table is None:
        why = words_of(evaluation).refused_why.format(why=block.refusal)
        return f'{heading}{note}<p class="refused">{escape(why)}</p>'
    return heading + note + _table(*block.table, None, evaluation, label=block.title)


def _list(lines: list[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>" if lines else ""


def _findings(evaluation: Evaluation, *, red: bool) -> str:
    """What was checked about the log, each in its colour: those that are red, or the others."""
    told = finding_lines(evaluation.findings, lang=evaluation.lang)
    told = ((severity, line) for severity, line in told if (severity is Severity.RED) is red)
    shown = "\n".join(f'<li class="{severity.value}">{escape(line)}</li>' for severity, line in told)
    return f'<ul class="findings">\n{shown}\n</ul>' if shown else ""


def _made_by(evaluation: Evaluation) -> str:
    """What made these numbers, so that they can be made again."""
    if not evaluation.provenance:
        return ""
    told = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in evaluation.provenance.items()
    )
    return f"<details><summary>{words_of(evaluation).made}</summary><dl>{told}</dl></details>"


_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="elige">
<main>
{body}
</main>
</body>
</html>
"""
