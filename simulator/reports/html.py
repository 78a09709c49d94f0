"""An evaluation as a page that needs no network, and as a notebook shows it. All text from outside is escaped."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from simulator.evaluation import Evaluation, Row
from simulator.replay.shown import curves_html
from simulator.reports.blocks import Block, blocks
from simulator.reports.cells import (
    GROUPS_NOTE,
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
from simulator.reports.plots import FIGURES, PlotlyMissing
from simulator.truth import holding


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
        return f'<style>{_STYLE}</style>\n<div class="elige">{_body(self.evaluation, {})}</div>'


def to_html(evaluation: Evaluation) -> str:
    """The whole page: verdict, figures (plotly.js within), tables, remarks, and what made it."""
    body = _body(evaluation, _figures(evaluation))
    return _PAGE.format(lang=evaluation.lang, title=escape(title(evaluation)), style=_STYLE, body=body)


def _body(evaluation: Evaluation, figures: Mapping[str, str]) -> str:
    best = evaluation.best()
    shown = dict(figures)
    parts = [
        f"<h1>{escape(title(evaluation))}</h1>",
        f'<p class="verdict">{escape(evaluation.verdict)}</p>',
        *(f"<p>{escape(one.sentence)}</p>" for one in said(evaluation)),
        shown.pop("missing", ""),
        shown.pop("values", ""),
        *(_table(headings, rows, best, evaluation) for headings, rows in tables(evaluation)),
        f"<p>{escape(line)}</p>" if (line := holding(evaluation)) else "",
        _findings(evaluation),
        _list([*remarks(evaluation), *evaluation.notes]),
        curves_html(evaluation),
        f"<h2>{escape(grid_title(evaluation))}</h2>" if evaluation.grid else "",
        _table(*first_table(evaluation, evaluation.grid.rows), None, evaluation) if evaluation.grid else "",
        *(_block(evaluation, block) for block in blocks(evaluation)),
        f"<p>{escape(GROUPS_NOTE)}</p>" if evaluation.groups or evaluation.views else "",
        *shown.values(),
        _made_by(evaluation),
    ]
    return "\n".join(part for part in parts if part)


def _figures(evaluation: Evaluation) -> dict[str, str]:
    """By name; the first brings plotly.js, which is then there for the others."""
    found: dict[str, str] = {}
    try:
        for name, draw in FIGURES.items():
            if (plot := draw(evaluation)) is not None:
                found[name] = str(
                    plot.to_html(
                        full_html=False,
                        include_plotlyjs=not found,
                        config={"displaylogo": False},
                        div_id=f"figure-{name}",
                    )
                )
    except PlotlyMissing as missing:
        return {"missing": f'<p class="missing">{escape(str(missing))}</p>'}
    return found


def _table(headings: list[str], rows: Rows, best: Row | None, evaluation: Evaluation) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = []
    for row, cells in rows:
        kind = "best" if row is best else "refused" if row.refusal else ""
        about = escape(made_by(evaluation, row), quote=True)
        told = "".join(f"<td>{escape(cell)}</td>" for cell in (shown_name(row), *cells))
        body.append(f'<tr class="{kind}" title="{about}">{told}</tr>')
    return "<table>\n<thead><tr>" + head + "</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>"


def _block(evaluation: Evaluation, block: Block) -> str:
    heading = f"<h2>{escape(block.title)}</h2>"
    note = f"<p>{escape(block.note)}</p>" if block.note else ""
    if block.table is None:
        return f'{heading}{note}<p class="refused">refused: {escape(block.refusal or "")}</p>'
    return heading + note + _table(*block.table, None, evaluation)


def _list(lines: list[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>" if lines else ""


def _findings(evaluation: Evaluation) -> str:
    """What was checked about the log, each in its colour."""
    told = finding_lines(evaluation.findings, lang=evaluation.lang)
    shown = "\n".join(f'<li class="{severity.value}">{escape(line)}</li>' for severity, line in told)
    return f'<ul class="findings">\n{shown}\n</ul>' if shown else ""


def _made_by(evaluation: Evaluation) -> str:
    """What made these numbers, so that they can be made again."""
    if not evaluation.provenance:
        return ""
    told = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in evaluation.provenance.items()
    )
    return f"<details><summary>What made these numbers</summary><dl>{told}</dl></details>"


_STYLE = """
.elige { font: 16px/1.5 system-ui, sans-serif; color: #111827; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
.elige h1 { font-size: 1.25rem; }
.elige h2 { font-size: 1rem; }
.elige .verdict { font-size: 1.125rem; font-weight: 600; }
.elige table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; font-variant-numeric: tabular-nums; }
.elige th, .elige td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #e5e7eb; }
.elige th:first-child, .elige td:first-child { text-align: left; overflow-wrap: anywhere; }
.elige .best { background: #ecfdf5; }
.elige .refused, .elige .missing { color: #6b7280; }
.elige .findings { list-style: none; padding: 0; }
.elige .findings li { border-left: .5rem solid; padding-left: .75rem; margin: .25rem 0; }
.elige .findings .red { border-color: #dc2626; }
.elige .findings .amber { border-color: #d97706; }
.elige .findings .green { border-color: #059669; color: #6b7280; }
.elige dt { font-weight: 600; }
"""

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="elige">
{body}
</body>
</html>
"""
