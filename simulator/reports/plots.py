"""Figures: the same objects show in a notebook and in the page. Need plotly (the extra `report`).

Each function gives a plotly Figure, or None where there is nothing to show. Names are shown as plain text.
"""

from collections.abc import Callable, Mapping, Sequence
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
NOT_JUDGED = "#e5e7eb"
MOST_TAILS = 12
"""Policies whose weights are drawn; of more, those asked for first."""


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
            hovertemplate=f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]<extra></extra>",
            showlegend=False,
        )
    earned = shown[0][1].value  # the logged policy stands first and is never refused
    plot.add_vline(x=earned, line_dash="dot", line_color=COLOURS[LOGGED])
    plot.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[_plain(row.name) for row, _ in shown], autorange="reversed"
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
    for row in shown[:MOST_TAILS]:
        plot.add_scatter(
            x=[weight for weight, _ in row.tail],
            y=[share for _, share in row.tail],
            mode="lines+markers",
            line={"color": _colour(row), "dash": "solid" if row.role in (SPEC, SNAPSHOT) else "dot"},
            name=_plain(row.name),
            hovertemplate="%{y:.3%} of the rounds weigh %{x:.3g} or more<extra></extra>",
        )
    plot.update_xaxes(type="log", title="weight of a round")
    plot.update_yaxes(type="log", title="share of rounds with at least that weight")
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
            "color": [COLOURS[SPEC] if one.low <= one.seen <= one.high else "#dc2626" for one in bins],
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
    cells = [[gain.value if (gain := of.get(name)) else None for name in names] for of in gains]
    texts = [
        [f"{one.value:+.3g}<br>[{one.low:+.3g}, {one.high:+.3g}]" if (one := of.get(name)) else "" for name in names]
        for of in gains
    ]
    known = [abs(cell) for row in cells for cell in row if cell is not None]
    most = max(known, default=1.0) or 1.0
    go = _plotly()
    plot = go.Figure(
        go.Heatmap(
            z=[[np.nan if cell is None else cell for cell in row] for row in cells],
            x=[_plain(name) for name in names],
            y=[_plain(f"{group.name} ({group.n:,})") for group in groups],
            text=texts,
            texttemplate="%{text}",
            colorscale=[[0.0, "#d97706"], [0.5, "#ffffff"], [1.0, "#059669"]],
            zmin=-most,
            zmax=most,
            hoverongaps=False,
            colorbar={"title": "gain"},
        )
    )
    plot.update_layout(plot_bgcolor=NOT_JUDGED)
    plot.update_yaxes(autorange="reversed")
    title = f"More than was served, by {_plain(evaluation.by)} ({evaluation.headline.upper()})"
    return _laid_out(plot, title, height=200 + 48 * len(groups))


def over_time(evaluation: Evaluation) -> Any:
    """What was served and what was asked for, in one stretch of time after the other. Raises PlotlyMissing."""
    view = next((one for one in evaluation.views if one.kind == "time"), None)
    if view is None:
        return None
    names = [row.name for row in evaluation.rows if row.role in (LOGGED, *ASKED)]
    plot = _plotly().Figure()
    for row in (evaluation.row(name) for name in names):
        stretches = [
            (group.name, found)
            for group in view.groups
            for one in group.rows
            if one.name == row.name and (found := evaluation.estimate(one))
        ]
        _with_band(plot, row, [name for name, _ in stretches], [(one.value, one.low, one.high) for _, one in stretches])
    plot.update_yaxes(title=f"mean reward, {evaluation.headline.upper()}")
    return _laid_out(plot, f"Over time, {view.key} at a time", height=420)


def learning(evaluation: Evaluation) -> Any:
    """What replayed learners earned from the beginning up to each moment. Raises PlotlyMissing."""
    if not evaluation.replays:
        return None
    plot = _plotly().Figure()
    for one in evaluation.replays:
        known = [stretch for stretch in one.curve if stretch.so_far is not None]
        ends = [when(stretch.end, timed=evaluation.log.timed) for stretch in known]
        _with_band(plot, evaluation.row(one.policy), ends, [stretch.so_far for stretch in known if stretch.so_far])
    plot.update_yaxes(title="mean reward so far, of its own rounds")
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


def _with_band(plot: Any, row: Row, places: Sequence[str], values: Sequence[tuple[float, float, float]]) -> None:
    """A line of values, with their lows and highs as bars."""
    plot.add_scatter(
        x=list(places),
        y=[value for value, _, _ in values],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - value for value, _, high in values],
            "arrayminus": [value - low for value, low, _ in values],
        },
        mode="lines+markers",
        line={"color": _colour(row), "dash": "dot" if row.role == LOGGED else "solid"},
        name=_plain(row.name),
    )


def _laid_out(plot: Any, title: str, *, height: int) -> Any:
    plot.update_layout(title=title, height=height, template="plotly_white", margin={"l": 160})
    return plot


def _colour(row: Row) -> str:
    return COLOURS[row.role]


def _plain(text: str) -> str:
    """Text that plotly, which reads some HTML tags in labels, shows as it is."""
    shortened = text if len(text) <= 60 else text[:59] + "…"
    return shortened.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
