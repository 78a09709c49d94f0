"""The simulator: what any policy would have earned, estimated from a log; and worlds whose truth is known.

    from simulator import Log, Round, evaluate, render

    log = Log.from_rounds(rounds, slot="headline", default="hours")
    evaluation = evaluate(log, ["epsilon:epsilon=0.1", "squarecb"])
    print(evaluation.verdict)

A `Log` comes from rounds, from a CSV file (`csv_log`), from a log in Vowpal Wabbit's dsjson (`dsjson_log`), or from the
Open Bandit Dataset (`open_bandit`). An `Evaluation` is shown as a table in the terminal (`render`), as JSON
(`to_json`), as a page (`to_html`), or as a figure (`simulator.plots.figure`). Estimators are plain functions in
`simulator.estimators`. Pure but for the readers of files.
"""

from simulator.candidates import Candidate, EvaluationError
from simulator.diagnostics import Diagnostics, diagnose
from simulator.dsjson import dsjson_log
from simulator.estimators import ESTIMATORS, USUAL, Estimate
from simulator.evaluate import evaluate
from simulator.evaluation import Evaluation, Group, Period, Row
from simulator.groups import By
from simulator.intervals import NoSupport
from simulator.log import Log, LogError, LogSummary, Round
from simulator.mapping import CsvMapping, MappingError
from simulator.report import render, to_html, to_json
from simulator.sentences import LANGUAGES
from simulator.sources import csv_log, open_bandit
from simulator.tables import SourceError
from simulator.targets import Progress

__all__ = [
    "ESTIMATORS",
    "LANGUAGES",
    "USUAL",
    "By",
    "Candidate",
    "CsvMapping",
    "Diagnostics",
    "Estimate",
    "Evaluation",
    "EvaluationError",
    "Group",
    "Log",
    "LogError",
    "LogSummary",
    "MappingError",
    "NoSupport",
    "Period",
    "Progress",
    "Round",
    "Row",
    "SourceError",
    "csv_log",
    "diagnose",
    "dsjson_log",
    "evaluate",
    "open_bandit",
    "render",
    "to_html",
    "to_json",
]
