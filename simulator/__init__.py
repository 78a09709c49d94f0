"""The simulator: what any policy would have earned, estimated from a log; and worlds whose truth is known.

    from simulator import Log, Round, evaluate, render

    log = Log.from_rounds(rounds, slot="headline", default="hours")
    evaluation = evaluate(log, ["epsilon:epsilon=0.1", "squarecb"])
    print(evaluation.verdict)

A `Log` comes from rounds, from a data frame (`frame_log`), from a CSV or Parquet file (`csv_log`, `parquet_log`), from
a log in Vowpal Wabbit's dsjson (`dsjson_log`), or from the Open Bandit Dataset (`open_bandit`). An `Evaluation` shows
itself in a notebook, with figures from `Report`; it is a table in the terminal (`render`), JSON (`to_json`), a page
(`to_html`), or records for a data frame (`to_records`).
Estimators are plain functions in `simulator.estimators`. Pure but for the readers of files.
"""

from simulator.asked import EvaluationError
from simulator.candidates import Candidate
from simulator.checks import diagnose_log, diagnose_policy, ratio_of_counts
from simulator.diagnostics import Diagnostics, diagnose
from simulator.estimators import ESTIMATORS, INTERVALS, USUAL, Estimate, check_names
from simulator.evaluate import evaluate
from simulator.evaluation import Evaluation, Group, View
from simulator.findings import Finding, Severity
from simulator.grids import evaluate_grid
from simulator.groups import By
from simulator.intervals.clustered import NoSupport
from simulator.lift import Trial
from simulator.logs.contexts import Contexts
from simulator.logs.log import Log, LogError, LogSummary, Round
from simulator.models import MODELS, RewardModel
from simulator.pages.evaluate import diagnose_page, evaluate_page
from simulator.pages.page import Page
from simulator.pages.policies import PageCandidate, slot_specs
from simulator.replay.record import Replay, Replaying
from simulator.reports.html import Report, to_html
from simulator.reports.records import to_records
from simulator.reports.terminal import render, to_json
from simulator.rows import Period, Row
from simulator.sentences import LANGUAGES
from simulator.sources.dsjson import dsjson_log
from simulator.sources.files import csv_log, open_bandit
from simulator.sources.frames import frame_log, parquet_log
from simulator.sources.mapping import ColumnMapping, MappingError
from simulator.sources.tables import SourceError
from simulator.streams import evaluate_parquet
from simulator.targets import Progress

__all__ = [
    "ESTIMATORS",
    "INTERVALS",
    "LANGUAGES",
    "MODELS",
    "USUAL",
    "By",
    "Candidate",
    "ColumnMapping",
    "Contexts",
    "Diagnostics",
    "Estimate",
    "Evaluation",
    "EvaluationError",
    "Finding",
    "Group",
    "Log",
    "LogError",
    "LogSummary",
    "MappingError",
    "NoSupport",
    "Page",
    "PageCandidate",
    "Period",
    "Progress",
    "Replay",
    "Replaying",
    "Report",
    "RewardModel",
    "Round",
    "Row",
    "Severity",
    "SourceError",
    "Trial",
    "View",
    "check_names",
    "csv_log",
    "diagnose",
    "diagnose_log",
    "diagnose_page",
    "diagnose_policy",
    "dsjson_log",
    "evaluate",
    "evaluate_grid",
    "evaluate_page",
    "evaluate_parquet",
    "frame_log",
    "open_bandit",
    "parquet_log",
    "ratio_of_counts",
    "render",
    "slot_specs",
    "to_html",
    "to_json",
    "to_records",
]
