"""What all figures have in common: layout, and names as labels."""

from textwrap import wrap
from typing import Any

from policies.writing import Writing

LABEL = 32
"""Characters of a line of a label."""


def beside_each_other(plot: Any) -> None:
    """Bars of one moment stand in a row. Plotly then begins the scale at 0, unless it is told where."""
    lows = [y - less for line in plot.data for y, less in zip(line.y, line.error_y.arrayminus, strict=True)]
    highs = [y + more for line in plot.data for y, more in zip(line.y, line.error_y.array, strict=True)]
    plot.update_layout(scattermode="group", scattergap=0.6)
    if lows:
        room = 0.05 * (max(highs) - min(lows)) or 1.0
        plot.update_yaxes(range=[min(lows) - room, max(highs) + room])


def dated(plot: Any) -> Any:
    """Times as the tables write them, in every language: plotly would name months in English."""
    day = 86_400_000
    hours = {"dtickrange": [None, day - 1], "value": "%Y-%m-%d %H:%M"}
    days = {"dtickrange": [day, None], "value": "%Y-%m-%d"}
    return plot.update_xaxes(tickformatstops=[hours, days])


def laid_out(plot: Any, title: str, language: Writing, *, height: int) -> Any:
    """The plot with its title, its legend below, and room for long names; numbers as that language writes them."""
    plot.update_layout(
        separators=f"{language.decimal}{language.thousands}",
        title={"text": title, "x": 0.01, "xref": "container", "y": 1.0, "yanchor": "top", "pad": {"t": 24}},
        height=height,
        template="plotly_white",
        margin={"l": 40, "r": 20, "t": 70, "b": 60},
        legend={"orientation": "h", "x": 0.0, "y": -0.25, "yanchor": "top"},
    )
    plot.update_yaxes(automargin=True)
    plot.update_xaxes(automargin=True)
    return plot


def plain(text: str) -> str:
    """Text that plotly, which reads some HTML tags in labels, shows as it is."""
    shortened = text if len(text) <= 60 else text[:59] + "…"
    return _escaped(shortened)


def label(text: str, width: int = LABEL) -> str:
    """The same in at most two lines."""
    lines = wrap(text, width) or [""]
    shown = lines if len(lines) <= 2 else [lines[0], f"{lines[1][: width - 1]}…"]
    return "<br>".join(map(_escaped, shown))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
