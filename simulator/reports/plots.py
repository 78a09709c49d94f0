"""Figures: the same objects show in a notebook and in the page. Need plotly (the extra `report`).

Each function gives a plotly Figure, or None where there is nothing to show. Names are shown as plain text. No colour
stands alone for what it means: lines have marks of their own, cells their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from simulator.estimators import Estimate
from simulator.evaluation import Evaluation
from simulator.logs.log import when
from simulator.reports.drawing import beside_each_other, dated, label, laid_out, plain
from simulator.reports.words import Words, words_of
from simulator.rows import ASKED, CONTROL, FIXED, LOGGED, REPLAYED, SNAPSHOT, SPEC, UNIFORM, Row
from simulator.sentences import LANGUAGES

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


class PlotlyMissing(ImportError):
    """Plotly is not installed; the message says how to get it."""

    def __init__(self) -> None:
        super().__init__("figures need plotly: install Elige with its extra 'report', elige[report]")


def values(evaluation: Evaluation) -> Any:
    """Each judged policy's first-read value with its interval, the logged policy as a line. Raises PlotlyMissing."""
    plot, words, language = _plotly().Figure(), words_of(evaluation), LANGUAGES[evaluation.lang]
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
            name=plain(words.shown(row.name)),
            hovertemplate=f"{plain(words.shown(row.name))}<br>{_with_interval(evaluation, found)}<extra></extra>",
            showlegend=False,
        )
    earned = shown[0][1].value  # the logged policy stands first and is never refused
    plot.add_vline(x=earned, line_dash="dot", line_color=COLOURS[LOGGED])
    plot.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[_named(words, row) for row, _ in shown],
        autorange="reversed",
    )
    share = language.cell(evaluation.confidence)
    plot.update_xaxes(title=words.values_axis.format(estimator=evaluation.headline.upper(), share=share))
    title = words.values_title.format(slot=plain(evaluation.log.slot))
    return laid_out(plot, title, language, height=160 + 34 * len(shown))


def weight_tails(evaluation: Evaluation) -> Any:
    """The share of rounds that weigh at least so much, both on logarithmic scales. Raises PlotlyMissing."""
    shown = sorted((row for row in evaluation.rows if row.tail), key=lambda row: row.role in (UNIFORM, FIXED))
    if not shown:
        return None
    plot, words = _plotly().Figure(), words_of(evaluation)
    for place, row in enumerate(shown[:MOST_TAILS]):
        colour, symbol = LINES[place % len(LINES)]
        plot.add_scatter(
            x=[weight for weight, _ in row.tail],
            y=[share for _, share in row.tail],
            mode="lines+markers",
            line={"color": colour, "dash": "solid" if row.role in (SPEC, SNAPSHOT) else "dot"},
            marker={"symbol": symbol, "size": 8},
            name=label(row.name),
            hovertemplate=f"{plain(row.name)}<br>{words.tails_hover}<extra></extra>",
        )
    plot.update_xaxes(type="log", title=words.tails_weight)
    plot.update_yaxes(type="log", title=words.tails_share, tickformat="~%", dtick=1)
    return laid_out(plot, words.tails_title, LANGUAGES[evaluation.lang], height=420)


def calibration(evaluation: Evaluation) -> Any:
    """What was chosen beside what was said to be probable, on the diagonal if all is well. Raises PlotlyMissing."""
    bins = evaluation.calibration
    if len(bins) < 2:
        return None
    plot, words = _plotly().Figure(), words_of(evaluation)
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
        name=words.calibration_sound,
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
        name=words.calibration_log,
        hovertemplate=f"{words.calibration_hover}<extra></extra>",
    )
    plot.update_xaxes(title=words.calibration_said)
    plot.update_yaxes(title=words.calibration_seen)
    return laid_out(plot, words.calibration_title, LANGUAGES[evaluation.lang], height=420)


def heat_map(evaluation: Evaluation) -> Any:
    """By group of people and policy, how much more than was served there; grey where it could not be judged. Raises
    PlotlyMissing.
    """
    groups = [group for group in evaluation.groups if group.rows]
    if not groups:
        return None
    words, language = words_of(evaluation), LANGUAGES[evaluation.lang]
    names = [row.name for row in evaluation.rows if row.role != LOGGED]
    gains = [{row.name: row.gain for row in group.rows} for group in groups]
    cells = [[of.get(name) for of in gains] for name in names]
    known = [abs(cell.value) for row in cells for cell in row if cell]
    most = max(known, default=1.0) or 1.0
    roomy = len(groups) <= MOST_INTERVALS
    go = _plotly()
    plot = go.Figure(
        go.Heatmap(
            z=[[cell.value if cell else np.nan for cell in row] for row in cells],
            x=list(range(len(groups))),
            y=list(range(len(names))),
            customdata=[[f"{plain(words.shown(name))}<br>{plain(group.name)}" for group in groups] for name in names],
            text=[
                [language.gain(cell.value, cell.low, cell.high).replace(" ", "<br>", 1) if cell else "" for cell in row]
                for row in cells
            ],
            texttemplate="%{text}" if roomy else "%{z:+.2g}",
            textfont={"size": 11},
            hovertemplate="%{customdata}<br>%{text}<extra></extra>",
            colorscale=[[0.0, LESS], [0.5, "#ffffff"], [1.0, MORE]],
            zmin=-most,
            zmax=most,
            hoverongaps=False,
            colorbar={"title": words.gain},
        )
    )
    plot.update_xaxes(
        tickvals=list(range(len(groups))),
        ticktext=[f"{label(group.name, 14 if roomy else 24)}<br>({language.whole(group.n)})" for group in groups],
        tickangle=0 if roomy else -90,
        side="top",
    )
    shown = [_named(words, evaluation.row(name)) for name in names]
    plot.update_yaxes(tickvals=list(range(len(names))), ticktext=shown)
    plot.update_layout(plot_bgcolor=NOT_JUDGED)
    plot.update_yaxes(autorange="reversed")
    title = words.groups_title.format(by=plain(evaluation.by), estimator=evaluation.headline.upper())
    above = 120 if roomy else 220  # between title and cells stand the names of the groups
    laid_out(plot, title, language, height=130 + above + 40 * len(names))
    return plot.update_layout(margin_t=above)


def over_time(evaluation: Evaluation) -> Any:
    """What was served and what was asked for, in one stretch of time after the other. Raises PlotlyMissing."""
    view = next((one for one in evaluation.views if one.kind == "time"), None)
    if view is None:
        return None
    names = [row.name for row in evaluation.rows if row.role in (LOGGED, *ASKED)]
    plot, words = _plotly().Figure(), words_of(evaluation)
    for place, row in enumerate(evaluation.row(name) for name in names):
        stretches = [
            (group.name, found)
            for group in view.groups
            for one in group.rows
            if one.name == row.name and (found := evaluation.estimate(one))
        ]
        values = [(one.value, one.low, one.high) for _, one in stretches]
        _with_band(plot, row, words, place, [name for name, _ in stretches], values)
    plot.update_yaxes(title=words.mean_reward.format(estimator=evaluation.headline.upper()))
    beside_each_other(dated(plot))
    title = words.time_title.format(length=view.key)
    return laid_out(plot, title, LANGUAGES[evaluation.lang], height=420)


def learning(evaluation: Evaluation) -> Any:
    """What replayed learners earned from the beginning up to each moment. Raises PlotlyMissing."""
    if not evaluation.replays:
        return None
    plot, words, language = _plotly().Figure(), words_of(evaluation), LANGUAGES[evaluation.lang]
    for place, one in enumerate(evaluation.replays):
        known = [stretch for stretch in one.curve if stretch.so_far is not None]
        ends = [when(stretch.end, timed=evaluation.log.timed, row=language.row) for stretch in known]
        values = [stretch.so_far for stretch in known if stretch.so_far]
        _with_band(plot, evaluation.row(one.policy), words, place, ends, values)
    plot.update_yaxes(title=words.learning_axis)
    beside_each_other(dated(plot))
    return laid_out(plot, words.learning_title, language, height=420)


FIGURES: Mapping[str, Callable[[Evaluation], Any]] = {
    "values": values,
    "learning": learning,
    "groups": heat_map,
    "time": over_time,
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
    plot: Any, row: Row, words: Words, place: int, places: Sequence[str], values: Sequence[tuple[float, float, float]]
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
        name=label(words.shown(row.name)),
        hovertemplate=f"{plain(words.shown(row.name))}<br>%{{x}}: %{{y:.4g}}<extra></extra>",
        offsetgroup=str(len(plot.data)),
    )


def _with_interval(evaluation: Evaluation, found: Estimate) -> str:
    language = LANGUAGES[evaluation.lang]
    return f"{language.number(found.value)} {language.interval(found.low, found.high, 4)}"


def _named(words: Words, row: Row) -> str:
    """Beside its numbers; that these are forced is never cut off."""
    name = label(words.shown(row.name))
    return words.forced.format(name=name) if row.forced else name


def _colour(row: Row) -> str:
    return COLOURS[row.role]
