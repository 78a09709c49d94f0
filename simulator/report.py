"""An evaluation as people read it: a table in the terminal, JSON, a page that needs no network."""

import json
from collections.abc import Sequence
from html import escape

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.estimators import Estimate
from simulator.evaluation import FIXED, Evaluation, Row
from simulator.plots import PlotlyMissing, figure

MAX_REFUSALS = 5


def render(evaluation: Evaluation) -> Group:
    """A rich renderable: two tables, then the verdict, refusals, warnings and notes. All names stay plain text."""
    best = evaluation.best()
    lines: list[Table | Text] = [Text(_title(evaluation), style="italic")]
    for headings, rows in _tables(evaluation):
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for place, heading in enumerate(headings):
            table.add_column(heading, overflow="fold", justify="right" if place else "left")
        for row, cells in rows:
            style = "green" if row is best else "dim" if row.refusal else None
            table.add_row(*(Text(cell) for cell in (row.name, *cells)), style=style)
        lines.append(table)
    lines.append(Text(evaluation.verdict, style="bold"))
    lines += [Text(line, style="yellow") for line in _remarks(evaluation)]
    lines += [Text(note, style="dim") for note in evaluation.notes]
    return Group(*lines)


def to_json(evaluation: Evaluation) -> str:
    """The whole evaluation as indented JSON."""
    return json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def to_html(evaluation: Evaluation) -> str:
    """A page that needs no network: the figure (plotly.js within), the table, the verdict. Outside text is escaped."""
    return _PAGE.format(
        title=escape(_title(evaluation)),
        verdict=escape(evaluation.verdict),
        figure=_figure_html(evaluation),
        tables="\n".join(_table_html(evaluation, headings, rows) for headings, rows in _tables(evaluation)),
        remarks="\n".join(f"<li>{escape(line)}</li>" for line in (*_remarks(evaluation), *evaluation.notes)),
    )


def _table_html(evaluation: Evaluation, headings: list[str], rows: list[tuple[Row, list[str]]]) -> str:
    best = evaluation.best()
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = []
    for row, cells in rows:
        kind = "best" if row is best else "refused" if row.refusal else ""
        body.append(f'<tr class="{kind}">' + "".join(f"<td>{escape(c)}</td>" for c in (row.name, *cells)) + "</tr>")
    return "<table>\n<thead><tr>" + head + "</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>"


def _figure_html(evaluation: Evaluation) -> str:
    try:
        plot = figure(evaluation)
    except PlotlyMissing as missing:
        return f'<p class="missing">{escape(str(missing))}</p>'
    return str(plot.to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False}, div_id="figure"))


def _title(evaluation: Evaluation) -> str:
    log = evaluation.log
    return f"{log.name}, {log.slot}: {evaluation.period}"


def _tables(evaluation: Evaluation) -> list[tuple[list[str], list[tuple[Row, list[str]]]]]:
    """What to read first: value, gain, diagnostics; then every estimator beside the others."""
    interval = f"{evaluation.confidence:.0%} interval"
    first = ["policy", evaluation.headline.upper(), interval, "against logged", "ESS", "support"]
    tables = [(first, [(row, _first_cells(evaluation, row)) for row in evaluation.rows])]
    if len(evaluation.estimators) > 1:
        judged = [row for row in evaluation.rows if set(evaluation.estimators) <= set(row.estimates)]
        estimates = [(row, [_with_interval(row.estimates[name]) for name in evaluation.estimators]) for row in judged]
        tables.append((["policy", *(name.upper() for name in evaluation.estimators)], estimates))
    return tables


def _first_cells(evaluation: Evaluation, row: Row) -> list[str]:
    found = evaluation.estimate(row)
    told = [f"{found.value:.4g}", _interval(found)] if found else ["refused", ""]
    gain = f"{row.gain.value:+.3g} [{row.gain.low:+.3g}, {row.gain.high:+.3g}]" if row.gain else ""
    if row.diagnostics is None:
        return [*told, gain, f"{row.n:,}" if found else "", ""]
    about = "" if row.diagnostics.support_exact else "~"
    return [*told, gain, f"{row.diagnostics.ess:,.0f}", f"{about}{row.diagnostics.support:.0%}"]


def _interval(found: Estimate) -> str:
    return f"[{found.low:.3g}, {found.high:.3g}]"


def _with_interval(found: Estimate) -> str:
    return f"{found.value:.3g} {_interval(found)}"


def _remarks(evaluation: Evaluation) -> list[str]:
    """Refusals, notes and warnings of the rows, one line each; of many refused fixed variants the first few."""
    lines: list[str] = []
    untold = 0
    for row in evaluation.rows:
        if row.refusal and row.role == FIXED and (untold or _told(lines) >= MAX_REFUSALS):
            untold += 1
            continue
        lines += [f"{row.name}: refused, {row.refusal}."] if row.refusal else []
        lines += [f"{row.name}: {row.note}."] if row.note else []
        lines += [f"{row.name}: {warning}." for warning in (row.diagnostics.warnings if row.diagnostics else ())]
    if untold:
        lines.append(f"{untold} more fixed variants are refused for such reasons; the JSON form has each.")
    return lines


def _told(lines: Sequence[str]) -> int:
    return sum(": refused, " in line for line in lines)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #111827; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.25rem; }}
.verdict {{ font-size: 1.125rem; font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; margin: 1.5rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #e5e7eb; }}
th:first-child, td:first-child {{ text-align: left; overflow-wrap: anywhere; }}
.best {{ background: #ecfdf5; }}
.refused, .missing {{ color: #6b7280; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="verdict">{verdict}</p>
{figure}
{tables}
<ul>
{remarks}
</ul>
</body>
</html>
"""
