import json
import re
import sys
from collections.abc import Callable
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from policies.types import Action
from simulator import Candidate, Evaluation, Log, Round, evaluate, render, to_html, to_json
from simulator.plots import PlotlyMissing, figure

MakeLog = Callable[..., Log]
HOSTILE = "<script>alert('x')</script>[bold]|:\n{0}"


class Uniform:
    def pmf(self, context: object, actions: tuple[Action, ...]) -> np.ndarray:
        return np.full(len(actions), 1 / len(actions))


@pytest.fixture
def evaluation(make_log: MakeLog) -> Evaluation:
    log = make_log(slot=HOSTILE, actions=(Action("a"), Action("b"), Action(HOSTILE)))
    return evaluate(log, [Candidate("late", Uniform(), judged_after=1e9), Candidate("mine", Uniform(), note="my note")])


def shown(evaluation: Evaluation) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(render(evaluation))
    return console.export_text()


def test_terminal(evaluation: Evaluation) -> None:
    text = shown(evaluation)
    uniform = evaluation.row("uniform").estimates["dr"]
    assert f"{uniform.value:.4g}" in text
    assert f"[{uniform.low:.3g}, {uniform.high:.3g}]" in text
    assert "late: refused, only 0 of 600 rounds are later" in text
    assert "mine: my note." in text
    assert evaluation.verdict[:30] in text
    assert "fixed:<script>alert('x')</script>[bold]|:" in text, "in the table names are text, not markup"


def test_json(evaluation: Evaluation) -> None:
    assert json.loads(to_json(evaluation)) == json.loads(json.dumps(evaluation.to_dict()))


def test_page_needs_no_network_and_runs_nothing_from_outside(evaluation: Evaluation) -> None:
    page = to_html(evaluation)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    assert "Plotly.newPlot" in page
    assert "late: refused, only 0 of 600 rounds" in page


def test_figure_shows_every_judged_policy(evaluation: Evaluation) -> None:
    plot = figure(evaluation)
    judged = [row for row in evaluation.rows if row.estimates]
    assert len(plot.data) == len(judged) == 6
    uniform = evaluation.row("uniform").estimates["dr"]
    assert plot.data[1].x[0] == uniform.value
    assert plot.data[1].error_x.array[0] == pytest.approx(uniform.high - uniform.value)
    assert any("&lt;script&gt;" in label for label in plot.layout.yaxis.ticktext)


def test_without_plotly_the_page_says_what_is_missing(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(PlotlyMissing, match=r"elige\[report\]"):
        figure(evaluation)
    page = to_html(evaluation)
    assert "figures need plotly" in page
    assert "<table>" in page


def test_of_many_refused_variants_the_first_few_are_told() -> None:
    actions = tuple(Action(f"v{i}") for i in range(20))
    rounds = [
        Round({}, actions, f"v{i % 20}", 0.05, float(i % 3 == 0), time=float(i), probabilities=(0.05,) * 20)
        for i in range(400)  # 20 of each variant: too few to judge any of them
    ]
    text = shown(evaluate(Log.from_rounds(rounds)))
    assert text.count(": refused, ") == 5
    assert "15 more fixed variants are refused" in text
