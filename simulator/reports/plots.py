"""Figures: the same objects show in a notebook and in the page. Need plotly (the extra `report`).

Each function gives a plotly Figure, or None where there is nothing to show. Names are shown as plain text. No colour
stands alone for what it means: lines have marks of their own, cells their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from simulator.evaluation import ASKED, CONTROL, FIXED, LOGGED, REPLAYED, SNAPSHOT, SPEC, UNIFORM, Evaluation, Row
from simulator.logs.log import when

COLOURS = {
    LOGGED: "#374151",
    CONTROL: "#be185d",
    UNIFORM: "#9ca3af",
    FIXED: "#60a5fa",
    SPEC: "#059669",
    SNAPSHOT: "#d97706",
    REPLAYED: "#7c3aed",
}
LINES = (
    ("#0072b2", "circle"),
    ("#d55e00", "square"),
    ("#009e73", "diamond"),
    ("#cc79a7", "triangle-up"),
    ("#e69f00", "triangle-down"),
    ("#56b4e9", "cross"),
    ("#000000", "x"),
)
"""Of policies beside each other, colours that the colour-blind tell apart, with marks. Okabe and Ito 2008."""
LESS, MORE = "#d55e00", "#0072b2"
NOT_JUDGED = "#e5e7eb"
MOST_TAILS = 12
"""Policies whose weights are drawn; of more, those asked for first."""
MOST_INTERVALS = 6
"""Groups beside each other whose cells have room for intervals; of more, they show where a cell is pointed at."""
LABEL = 32
"""Characters of a line of a label."""


class PlotlyMissing(ImportError):
    """Plotly is not installed; the message says how to get it."""

    def __init__(self) -> None:
        super().__init__("figures need plotly: install Elige with its extra 'report', elige[report]")


def values(evaluation: Evaluation) -> Any:
    """Each judged policy's first-read value with its interval, the logged policy as a line. Raises PlotlyMissing."""
    plot = _plotly().Figure()
    shown = [(row, found) for row in evaluation.rows if (found := evaluation.estimate(row))]
    for place, (row, found) in enumerate(shown):
        plot.add_scatter(
            x=[found.value],
            y=[place],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [found.high - found.value],
                "arrayminus": [found.value - found.low],
            },
            mode="markers",
            marker={"size": 10, "color": _colour(row)},
            name=_plain(row.name),
            hovertemplate=f"{_plain(row.name)}<br>{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]<extra></extra>",
            showlegend=False,
        )
    earned = shown[0][1].value  # the logged policy stands first and is never refused
    plot.add_vline(x=earned, line_dash="dot", line_color=COLOURS[LOGGED])
    plot.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[_label(row.name) for row, _ in shown], autorange="reversed"
    )
    plot.update_xaxes(title=f"mean reward, {evaluation.headline.upper()}, {evaluation.confidence:.0%} interval")
    return _laid_out(
        plot, f"What each policy would have earned: {_plain(evaluation.log.slot)}", height=160 + 34 * len(shown)
    )


def weight_tails(evaluation: Evaluation) -> Any:
    """The share of rounds that weigh at least so much, both on logarithmic scales. Raises PlotlyMissing."""
    shown = sorted((row for row in evaluation.rows if row.tail), key=lambda row: row.role in (UNIFORM, FIXED))
    if not shown:
        return None
    plot = _plotly().Figure()
    for place, row in enumerate(shown[:MOST_TAILS]):
        colour, symbol = LINES[place % len(LINES)]
        plot.add_scatter(
            x=[weight for weight, _ in row.tail],
            y=[share for _, share in row.tail],
            mode="lines+markers",
            line={"color": colour, "dash": "solid" if row.role in (SPEC, SNAPSHOT) else "dot"},
            marker={"symbol": symbol, "size": 8},
            name=_label(row.name),
            hovertemplate=f"{_plain(row.name)}<br>%{{y:.3%}} of the rounds weigh %{{x:.3g}} or more<extra></extra>",
        )
    plot.update_xaxes(type="log", title="weight of a round")
    plot.update_yaxes(type="log", title="share of rounds with at least that weight", tickformat="~%", dtick=1)
    return _laid_out(plot, "How much hangs on few rounds", height=420)


def calibration(evaluation: Evaluation) -> Any:
    """What was chosen beside what was said to be probable, on the diagonal if all is well. Raises PlotlyMissing."""
    bins = evaluation.calibration
    if len(bins) < 2:
        return None
    plot = _plotly().Figure()
    most = max(max(one.said, one.high) for one in bins)
    plot.add_scatter(
        x=[0.0, most], y=[0.0, most], mode="lines", line={"dash": "dot", "color": COLOURS[LOGGED]}, showlegend=False
    )
    said, seen = [one.said for one in bins], [one.seen for one in bins]
    plot.add_scatter(
        x=said,
        y=said,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.said for one in bins],
            "arrayminus": [one.said - one.low for one in bins],
        },
        mode="markers",
        marker={"size": 1, "color": COLOURS[UNIFORM]},
        name="95 % of sound logs",
    )
    plot.add_scatter(
        x=said,
        y=seen,
        mode="markers",
        marker={
            "size": 9,
            "color": [MORE if one.low <= one.seen <= one.high else LESS for one in bins],
            "symbol": ["circle" if one.low <= one.seen <= one.high else "x" for one in bins],
        },
        customdata=[one.n for one in bins],
        name="this log",
        hovertemplate="said %{x:.3f}, seen %{y:.3f} of %{customdata:,} choices<extra></extra>",
    )
    plot.update_xaxes(title="probability that was logged")
    plot.update_yaxes(title="share that was chosen")
    return _laid_out(plot, "Do the logged probabilities hold?", height=420)


def heat_map(evaluation: Evaluation) -> Any:
    """By group of people and policy, how much more than was served there; grey where it could not be judged. Raises
    PlotlyMissing.
    """
    groups = [group for group in evaluation.groups if group.rows]
    if not groups:
        return None
    names = [row.name for row in evaluation.rows if row.role != LOGGED]
    gains = [{row.name: row.gain for row in group.rows} for group in groups]
    cells = [[of.get(name) for of in gains] for name in names]
    known = [abs(cell.value) for row in cells for cell in row if cell]
    most = max(known, default=1.0) or 1.0
    told = "%{text}" if len(groups) <= MOST_INTERVALS else "%{z:+.2g}"
    go = _plotly()
    plot = go.Figure(
        go.Heatmap(
            z=[[cell.value if cell else np.nan for cell in row] for row in cells],
            x=list(range(len(groups))),
            y=list(range(len(names))),
            customdata=[[f"{_plain(name)}<br>{_plain(group.name)}" for group in groups] for name in names],
            text=[
                [f"{cell.value:+.3g}<br>[{cell.low:+.3g}, {cell.high:+.3g}]" if cell else "" for cell in row]
                for row in cells
            ],
            texttemplate=told,
            textfont={"size": 11},
            hovertemplate="%{customdata}<br>%{text}<extra></extra>",
            colorscale=[[0.0, LESS], [0.5, "#ffffff"], [1.0, MORE]],
            zmin=-most,
            zmax=most,
            hoverongaps=False,
            colorbar={"title": "gain"},
        )
    )
    plot.update_xaxes(
        tickvals=list(range(len(groups))),
        ticktext=[f"{_label(group.name, 14)}<br>({group.n:,})" for group in groups],
        tickangle=0,
        side="top",
    )
    plot.update_yaxes(tickvals=list(range(len(names))), ticktext=[_label(name) for name in names])
    plot.update_layout(plot_bgcolor=NOT_JUDGED)
    plot.update_yaxes(autorange="reversed")
    title = f"More than was served, by {_plain(evaluation.by)} ({evaluation.headline.upper()})"
    _laid_out(plot, title, height=250 + 40 * len(names))
    return plot.update_layout(margin_t=120)  # the names of the groups stand between title and cells


def over_time(evaluation: Evaluation) -> Any:
    """What was served and what was asked for, in one stretch of time after the other. Raises PlotlyMissing."""
    view = next((one for one in evaluation.views if one.kind == "time"), None)
    if view is None:
        return None
    names = [row.name for row in evaluation.rows if row.role in (LOGGED, *ASKED)]
    plot = _plotly().Figure()
    for place, row in enumerate(evaluation.row(name) for name in names):
        stretches = [
            (group.name, found)
            for group in view.groups
            for one in group.rows
            if one.name == row.name and (found := evaluation.estimate(one))
        ]
        values = [(one.value, one.low, one.high) for _, one in stretches]
        _with_band(plot, row, place, [name for name, _ in stretches], values)
    plot.update_yaxes(title=f"mean reward, {evaluation.headline.upper()}")
    _beside_each_other(plot)
    return _laid_out(plot, f"Over time, {view.key} at a time", height=420)


def learning(evaluation: Evaluation) -> Any:
    """What replayed learners earned from the beginning up to each moment. Raises PlotlyMissing."""
    if not evaluation.replays:
        return None
    plot = _plotly().Figure()
    for place, one in enumerate(evaluation.replays):
        known = [stretch for stretch in one.curve if stretch.so_far is not None]
        ends = [when(stretch.end, timed=evaluation.log.timed) for stretch in known]
        values = [stretch.so_far for stretch in known if stretch.so_far]
        _with_band(plot, evaluation.row(one.policy), place, ends, values)
    plot.update_yaxes(title="mean reward so far, of its own rounds")
    _beside_each_other(plot)
    return _laid_out(plot, "What they earned while they learned", height=420)


FIGURES: Mapping[str, Callable[[Evaluation], Any]] = {
    "values": values,
    "time": over_time,
    "learning": learning,
    "groups": heat_map,
    "weights": weight_tails,
    "calibration": calibration,
}
"""All of them by name, in the order of the page."""


def _plotly() -> Any:
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise PlotlyMissing from error
    return go


def _with_band(
    plot: Any, row: Row, place: int, places: Sequence[str], values: Sequence[tuple[float, float, float]]
) -> None:
    """A line of values, with their lows and highs as bars, which stand beside those of other lines."""
    logged = row.role == LOGGED
    colour, symbol = (COLOURS[LOGGED], "circle-open") if logged else LINES[place % len(LINES)]
    plot.add_scatter(
        x=list(places),
        y=[value for value, _, _ in values],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - value for value, _, high in values],
            "arrayminus": [value - low for value, low, _ in values],
            "thickness": 1,
            "width": 3,
        },
        mode="lines+markers",
        line={"color": colour, "dash": "dot" if logged else "solid"},
        marker={"symbol": symbol, "size": 8},
        name=_label(row.name),
        hovertemplate=f"{_plain(row.name)}<br>%{{x}}: %{{y:.4g}}<extra></extra>",
        offsetgroup=str(len(plot.data)),
    )


def _beside_each_other(plot: Any) -> None:
    """Bars of one moment stand in a row. Plotly then begins the scale at 0, unless it is told where."""
    lows = [y - less for line in plot.data for y, less in zip(line.y, line.error_y.arrayminus, strict=True)]
    highs = [y + more for line in plot.data for y, more in zip(line.y, line.error_y.array, strict=True)]
    plot.update_layout(scattermode="group", scattergap=0.6)
    if lows:
        room = 0.05 * (max(highs) - min(lows)) or 1.0
        plot.update_yaxes(range=[min(lows) - room, max(highs) + room])


def _laid_out(plot: Any, title: str, *, height: int) -> Any:
    plot.update_layout(
        title={"text": title, "x": 0.0, "xref": "paper"},
        height=height,
        template="plotly_white",
        margin={"l": 40, "r": 20, "t": 70, "b": 60},
        legend={"orientation": "h", "x": 0.0, "y": -0.25, "yanchor": "top"},
    )
    plot.update_yaxes(automargin=True)
    plot.update_xaxes(automargin=True)
    return plot


def _colour(row: Row) -> str:
    return COLOURS[row.role]


def _plain(text: str) -> str:
    """Text that plotly, which reads some HTML tags in labels, shows as it is."""
    shortened = text if len(text) <= 60 else text[:59] + "…"
    return _escaped(shortened)


def _label(text: str, width: int = LABEL) -> str:
    """The same in at most two lines."""
    lines = wrap(text, width) or [""]
    shown = lines if len(lines) <= 2 else [lines[0], f"{lines[1][: width - 1]}…"]
    return "<br>".join(map(_escaped, shown))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
