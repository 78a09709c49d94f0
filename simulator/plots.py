"""Figures: the same object shows in a notebook and in the page. Needs plotly (the extra `report`)."""

from typing import Any

from simulator.evaluation import FIXED, LOGGED, SNAPSHOT, SPEC, UNIFORM, Evaluation

COLOURS = {LOGGED: "#374151", UNIFORM: "#9ca3af", FIXED: "#60a5fa", SPEC: "#059669", SNAPSHOT: "#d97706"}


class PlotlyMissing(ImportError):
    """Plotly is not installed; the message says how to get it."""

    def __init__(self) -> None:
        super().__init__("figures need plotly: install Elige with its extra 'report', elige[report]")


def figure(evaluation: Evaluation) -> Any:
    """A plotly Figure: each judged policy's first-read value with its interval, the logged policy as a line.

    Names are shown as plain text. Raises PlotlyMissing.
    """
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise PlotlyMissing from error
    plot = go.Figure()
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
            marker={"size": 10, "color": COLOURS[row.role]},
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
    plot.update_layout(
        title=f"What each policy would have earned: {_plain(evaluation.log.slot)}",
        height=160 + 34 * len(shown),
        template="plotly_white",
        margin={"l": 160},
    )
    return plot


def _plain(text: str) -> str:
    """Text that plotly, which reads some HTML tags in labels, shows as it is."""
    shortened = text if len(text) <= 60 else text[:59] + "…"
    return shortened.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
