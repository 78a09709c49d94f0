"""An evaluation as people read it: a table in the terminal, JSON, a page that needs no network."""

import json
from html import escape

from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.evaluation import Evaluation, Row
from simulator.plots import PlotlyMissing, figure


def render(evaluation: Evaluation) -> Group:
    """A rich renderable: the table, then the verdict, refusals, warnings and notes. All names stay plain text."""
    table = Table(title=Text(_title(evaluation)), title_justify="left")
    first, *others = _headings(evaluation)
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right")
    best = evaluation.best()
    for row in evaluation.rows:
        cells = [Text(cell) for cell in _cells(evaluation, row)]
        table.add_row(Text(row.name), *cells, style="green" if row is best else "dim" if row.refusal else None)
    lines = [Text(evaluation.verdict, style="bold")]
    lines += [Text(line, style="yellow") for line in _remarks(evaluation)]
    lines += [Text(note, style="dim") for note in evaluation.notes]
    return Group(table, *lines)


def to_json(evaluation: Evaluation) -> str:
    """The whole evaluation as indented JSON."""
    return json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def to_html(evaluation: Evaluation) -> str:
    """A page that needs no network: the figure (plotly.js within), the table, the verdict. Outside text is escaped."""
    best = evaluation.best()
    rows = []
    for row in evaluation.rows:
        kind = "best" if row is best else "refused" if row.refusal else ""
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (row.name, *_cells(evaluation, row)))
        rows.append(f'<tr class="{kind}">{cells}</tr>')
    return _PAGE.format(
        title=escape(_title(evaluation)),
        verdict=escape(evaluation.verdict),
        figure=_figure_html(evaluation),
        head="".join(f"<th>{escape(heading)}</th>" for heading in _headings(evaluation)),
        rows="\n".join(rows),
        remarks="\n".join(f"<li>{escape(line)}</li>" for line in (*_remarks(evaluation), *evaluation.notes)),
    )


def _figure_html(evaluation: Evaluation) -> str:
    try:
        plot = figure(evaluation)
    except PlotlyMissing as missing:
        return f'<p class="missing">{escape(str(missing))}</p>'
    return str(plot.to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False}, div_id="figure"))


def _title(evaluation: Evaluation) -> str:
    log = evaluation.log
    return f"{log.name}, {log.slot}: {evaluation.period}"


def _headings(evaluation: Evaluation) -> list[str]:
    others = [name.upper() for name in evaluation.estimators if name != evaluation.headline]
    interval = f"{evaluation.confidence:.0%} interval"
    return ["policy", evaluation.headline.upper(), interval, *others, "against logged", "ESS", "support"]


def _cells(evaluation: Evaluation, row: Row) -> list[str]:
    """The row's cells after its name."""
    found = evaluation.estimate(row)
    others = [name for name in evaluation.estimators if name != evaluation.headline]
    if found is None:
        values = ["refused", "", *("" for _ in others), ""]
    else:
        others_told = [f"{row.estimates[name].value:.4g}" if name in row.estimates else "" for name in others]
        gain = f"{row.gain.value:+.4g} [{row.gain.low:+.4g}, {row.gain.high:+.4g}]" if row.gain else ""
        values = [f"{found.value:.4g}", f"[{found.low:.4g}, {found.high:.4g}]", *others_told, gain]
    if row.diagnostics is None:
        return [*values, f"{row.n:,}" if found else "", ""]
    about = "" if row.diagnostics.support_exact else "~"
    return [*values, f"{row.diagnostics.ess:,.0f}", f"{about}{row.diagnostics.support:.1%}"]


def _remarks(evaluation: Evaluation) -> list[str]:
    """Refusals, notes and warnings of the rows, one line each."""
    lines = []
    for row in evaluation.rows:
        lines += [f"{row.name}: refused, {row.refusal}."] if row.refusal else []
        lines += [f"{row.name}: {row.note}."] if row.note else []
        lines += [f"{row.name}: {warning}." for warning in (row.diagnostics.warnings if row.diagnostics else ())]
    return lines


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
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
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
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<ul>
{remarks}
</ul>
</body>
</html>
"""
