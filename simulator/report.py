"""An evaluation as people read it: a table in the terminal, JSON, a page that needs no network."""

import json
from collections.abc import Sequence
from html import escape

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.estimators import Estimate
from simulator.evaluation import FIXED, SNAPSHOT, SPEC, Comparison, Evaluation, Row
from simulator.evaluation import Group as People
from simulator.plots import PlotlyMissing, figure

MAX_REFUSALS = 5
GROUPS_NOTE = "Each group is judged by itself: of many, some differ by chance. The JSON form says why a row is refused."


_Rows = list[tuple[Row, list[str]]]
"""The rows of a table, and the cells of each after its name."""


def render(evaluation: Evaluation) -> Group:
    """A rich renderable: two tables, then the verdict, refusals, warnings and notes, and a table for each group. All
    names stay plain text.
    """
    best = evaluation.best()
    lines: list[Table | Text] = [Text(_title(evaluation), style="italic")]
    lines += [_table(headings, rows, best) for headings, rows in _tables(evaluation)]
    lines.append(Text(evaluation.verdict, style="bold"))
    lines += [Text(one.sentence) for one in _said(evaluation)]
    lines += [Text(line, style="yellow") for line in _remarks(evaluation)]
    lines += [Text(note, style="dim") for note in evaluation.notes]
    for group in evaluation.groups:
        lines += [Text(line, style="italic") for line in ("", _group_title(evaluation, group), group.note) if line]
        lines.append(
            Text(f"refused: {group.refusal}", style="yellow")
            if group.refusal
            else _table(*_first_table(evaluation, group.rows), None)
        )
    lines += [Text(GROUPS_NOTE, style="dim")] if evaluation.groups else []
    return Group(*lines)


def _table(headings: list[str], rows: _Rows, best: Row | None) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="right" if place else "left")
    for row, cells in rows:
        style = "green" if row is best else "dim" if row.refusal else None
        table.add_row(*(Text(cell) for cell in (row.name, *cells)), style=style)
    return table


def to_json(evaluation: Evaluation) -> str:
    """The whole evaluation as indented JSON."""
    return json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def to_html(evaluation: Evaluation) -> str:
    """A page that needs no network: the figure (plotly.js within), the table, the verdict. Outside text is escaped."""
    best = evaluation.best()
    return _PAGE.format(
        title=escape(_title(evaluation)),
        verdict=escape(evaluation.verdict),
        comparisons="\n".join(f"<p>{escape(one.sentence)}</p>" for one in _said(evaluation)),
        figure=_figure_html(evaluation),
        tables="\n".join(_table_html(headings, rows, best) for headings, rows in _tables(evaluation)),
        groups="\n".join(_group_html(evaluation, group) for group in evaluation.groups),
        groups_note=f"<p>{escape(GROUPS_NOTE)}</p>" if evaluation.groups else "",
        remarks="\n".join(f"<li>{escape(line)}</li>" for line in (*_remarks(evaluation), *evaluation.notes)),
    )


def _said(evaluation: Evaluation) -> Sequence[Comparison]:
    """The comparisons of policies that were asked for; of the others the verdict and the table say enough."""
    asked = {row.name for row in evaluation.rows if row.role in (SPEC, SNAPSHOT)}
    return [one for one in evaluation.comparisons if one.policy in asked]


def _group_html(evaluation: Evaluation, group: People) -> str:
    title = f"<h2>{escape(_group_title(evaluation, group))}</h2>"
    note = f"<p>{escape(group.note)}</p>" if group.note else ""
    if group.refusal:
        return f'{title}{note}<p class="refused">refused: {escape(group.refusal)}</p>'
    return title + note + _table_html(*_first_table(evaluation, group.rows), None)


def _table_html(headings: list[str], rows: _Rows, best: Row | None) -> str:
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


def _group_title(evaluation: Evaluation, group: People) -> str:
    return f"{evaluation.by}: {group.name} ({group.n:,} rounds)"


def _first_table(evaluation: Evaluation, rows: Sequence[Row]) -> tuple[list[str], _Rows]:
    """What to read first: value, gain, diagnostics."""
    interval = f"{evaluation.confidence:.0%} interval"
    headings = ["policy", evaluation.headline.upper(), interval, "against logged", "ESS", "support"]
    return headings, [(row, _first_cells(evaluation, row)) for row in rows]


def _tables(evaluation: Evaluation) -> list[tuple[list[str], _Rows]]:
    """What to read first; then every estimator beside the others."""
    tables = [_first_table(evaluation, evaluation.rows)]
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
    return f"{found.value:.3g} {_interval(found)}" + (f", {found.note}" if found.note else "")


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
h2 {{ font-size: 1rem; }}
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
{comparisons}
{figure}
{tables}
<ul>
{remarks}
</ul>
{groups}
{groups_note}
</body>
</html>
"""
