import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from policies.types import Action
from simulator import By, Candidate, Evaluation, Log, Report, Round, evaluate, render, to_html, to_json
from simulator.replay.record import Replaying
from simulator.reports.plots import FIGURES, PlotlyMissing, values

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
    plot = values(evaluation)
    judged = [row for row in evaluation.rows if row.estimates]
    assert len(plot.data) == len(judged) == 6
    uniform = evaluation.row("uniform").estimates["dr"]
    assert plot.data[1].x[0] == uniform.value
    assert plot.data[1].error_x.array[0] == pytest.approx(uniform.high - uniform.value)
    assert any("&lt;script&gt;" in label for label in plot.layout.yaxis.ticktext)


def test_every_figure_shows_what_its_numbers_say(make_log: MakeLog) -> None:
    log = make_log(n=1200)
    found = evaluate(log, [Candidate("mine", Uniform())], by=By("lang", lambda context: context.get("lang")))
    report = Report(found)
    assert list(FIGURES) == ["values", "learning", "groups", "time", "weights", "calibration"]
    tails = report.figure("weights")
    drawn = {line.name: (list(line.x), list(line.y)) for line in tails.data}
    assert drawn["mine"] == tuple(map(list, zip(*found.row("mine").tail, strict=True)))
    heat = report.figure("groups").data[0]
    group, place = found.groups[0], [row.name for row in found.rows[1:]].index("mine")
    assert heat.z[place][0] == next(row for row in group.rows if row.name == "mine").gain.value
    page = to_html(found)
    assert all(f'id="figure-{name}"' in page for name in ("values", "groups", "weights"))
    assert page.count("plotly.js v") == 1, "the library is there once"
    with pytest.raises(KeyError, match="no figure 'pie'; there are"):
        report.figure("pie")


def test_long_names_of_policies_and_groups_stay_beside_their_numbers(make_log: MakeLog) -> None:
    long = "asunto_urgente_última_oportunidad_de_la_temporada_con_envío_gratuito"
    log = make_log(n=1200, actions=(Action("a"), Action("b"), Action(long)))
    report = Report(evaluate(log, by=By("lang", lambda context: f"{context.get('lang')} de todos los países del sur")))
    for name in ("values", "groups"):
        labels = report.figure(name).layout.yaxis.ticktext
        assert "fixed:a" in labels
        assert all(len(line) <= 32 for label in labels for line in label.split("<br>")), labels
        assert any(label.endswith("…") for label in labels)
    heat = report.figure("groups")
    assert heat.layout.xaxis.tickangle == 0
    many = By.of_rounds("send", [f"envío {row % 7} a todos" for row in range(1400)])
    assert Report(evaluate(make_log(n=1400), by=many)).figure("groups").layout.xaxis.tickangle == -90, "no room beside"
    assert all(len(line) <= 14 for label in heat.layout.xaxis.ticktext for line in label.split("<br>"))
    assert any(long[:40] in cell for row in heat.data[0].customdata for cell in row), "pointed at, it is told"


def test_lines_are_told_apart_without_colours_and_their_bars_stand_side_by_side(make_log: MakeLog) -> None:
    policies = [Candidate(f"p{i}", Uniform()) for i in range(6)]
    report = Report(evaluate(make_log(n=1200), policies, every=timedelta(hours=10)))
    for name in ("time", "weights"):
        lines = [line for line in report.figure(name).data if line.name in {"logged", *(one.name for one in policies)}]
        assert len({line.line.color for line in lines}) == len({line.marker.symbol for line in lines}) == len(lines) > 5
    time = report.figure("time")
    assert time.layout.scattermode == "group"
    assert len({line.offsetgroup for line in time.data}) == len(time.data)
    low, high = time.layout.yaxis.range
    assert 0.0 < low < min(min(line.y) for line in time.data), "the scale holds every bar, and does not begin at 0"
    assert high > max(max(line.y) for line in time.data)


def test_time_and_learning_are_drawn_where_they_were_asked_for(make_log: MakeLog) -> None:
    log = make_log(n=1200, actions=(Action("a"), Action("b"), Action("c")))
    plain = evaluate(log)
    assert Report(plain).figure("time") is Report(plain).figure("learning") is None
    found = evaluate(log, ["epsilon"], every=timedelta(hours=10), replay=Replaying(passes=1))
    time, learning = Report(found).figure("time"), Report(found).figure("learning")
    logged, replayed = time.data
    earned = [group.rows[0].estimates["mean"].value for group in found.views[0].groups]
    assert list(logged.y) == earned
    assert replayed.name == learning.data[0].name == "epsilon"
    assert learning.data[0].y[-1] == found.replays[0].curve[-1].so_far[0]


def test_findings_are_on_the_page_in_the_language_that_was_asked_for(make_log: MakeLog) -> None:
    page = to_html(evaluate(make_log(rewards=np.r_[np.zeros(300), np.ones(300)]), lang="es"))
    assert '<html lang="es">' in page
    assert re.search(r'<li class="(red|amber)">(rojo|ámbar), deriva de las recompensas', page)
    assert re.search(r'<li class="green">\d comprobaciones en verde', page)


def test_tables_and_figures_speak_to_who_does_not_see_them(make_log: MakeLog) -> None:
    found = evaluate(make_log(n=1200), by=By(HOSTILE, lambda context: context.get("lang")))
    page = to_html(found)
    assert len(re.findall(r"<h1>", page)) == 1
    named = re.findall(r'<div class="scroll" role="region" tabindex="0" aria-label="[^"]', page)
    assert page.count("<table>") == len(named)
    rows = re.findall(r"<tr[^>]*><t[^>]+>", page)
    assert all('scope="col"' in row or 'scope="row"' in row for row in rows), rows
    drawn = [name for name, draw in FIGURES.items() if draw(found) is not None]
    assert "groups" in drawn
    assert len(re.findall(r'<figure class="scroll" role="img" aria-label="[^"]', page)) == len(drawn)


@pytest.mark.parametrize(("lang", "said"), [("en", "in about 90 of 100 such logs"), ("es", "en unos 90 de cada 100")])
def test_below_the_first_table_stands_what_made_it_and_how_to_read_it(make_log: MakeLog, lang: str, said: str) -> None:
    found = evaluate(make_log(), estimators=["snips"], confidence=0.9, lang=lang)
    made, legend = re.findall(r'<p class="legend">([^<]*)</p>', Report(found)._repr_html_())
    assert made.startswith("SNIPS, ")
    assert "skewed" in made
    assert legend.startswith("SNIPS: ")
    assert said in legend


def test_what_a_cell_ends_with_is_shown_and_is_short_in_a_terminal(make_log: MakeLog) -> None:
    log = make_log()
    found = evaluate(log)
    assert found._repr_html_() == Report(found)._repr_html_()
    assert repr(found).startswith("<Evaluation of 'log', 'variant': 1970-01-01T00:00:00Z to ")
    assert repr(found).endswith(f"{len(found.rows)} rows by DR. {found.verdict}>")
    assert repr(log) == (
        "<Log 'log', 'variant': 600 rounds from 1970-01-01T00:00:00Z to 1970-01-01T09:59:00Z, 3 variants, "
        f"mean reward {log.rewards.mean():.4g}, contexts of lang>"
    )


def test_where_nothing_was_asked_for_the_best_row_says_how_much_more_would_tell(make_log: MakeLog) -> None:
    found = evaluate(make_log(), estimators=["ips"])
    best = found.best().name
    (told,) = [one for one in found.comparisons if one.policy == best]
    text = shown(found)
    assert best.startswith("fixed:")
    assert text.count(told.sentence) == 1
    assert not any(one.sentence in text for one in found.comparisons if one is not told)


def test_every_advice_stands_once_with_the_rows_that_it_is_for(make_log: MakeLog) -> None:
    found = evaluate(make_log(n=60), estimators=["ips"])
    refused = [row for row in found.rows if row.refusal]
    advice = "Gather more decisions, explore more, or judge a policy that is nearer to the logged one."
    text = shown(found)
    assert len(refused) > 1
    assert text.count(advice) == 1
    assert f"What to do ({', '.join(row.name for row in refused)}): {advice}" in text


def test_a_notebook_shows_tables_and_runs_nothing(evaluation: Evaluation) -> None:
    shown = Report(evaluation)._repr_html_()
    assert "<table>" in shown
    assert "<script" not in shown
    assert "DR, skewed 95% interval" in shown, "the numbers say what made them"


def test_without_plotly_the_page_says_what_is_missing(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(PlotlyMissing, match=r"elige\[report\]"):
        values(evaluation)
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
