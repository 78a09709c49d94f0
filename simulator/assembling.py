"""From the rows of all policies to an evaluation: what they are against each other, and who wins."""

from collections.abc import Sequence

from simulator.asked import Asked
from simulator.candidates import Entry
from simulator.comparisons import compare
from simulator.curves import calibration
from simulator.evaluation import Evaluation, View
from simulator.findings import Finding
from simulator.intervals.clustered import Persons
from simulator.lift import Trial, lift_in
from simulator.logs.log import Log, LogSummary
from simulator.replay.record import Replay
from simulator.rows import Period, Row
from simulator.verdict import verdict
from simulator.views import of_first_key


def assembled(
    rows: Sequence[Row],
    persons: Persons,
    asked: Asked,
    *,
    log: LogSummary,
    judged: Log,
    trained: Period | None,
    notes: Sequence[str],
    findings: Sequence[Finding],
    entries: Sequence[Entry],
    trial: Trial | None = None,
    views: Sequence[View] = (),
    replays: Sequence[Replay] = (),
    slots: Sequence[str] = (),
) -> Evaluation:
    """rows: of the whole, the logged policy first. persons: those of its rounds. judged: these rounds, or a sample of
    them. entries: the policies that were asked for. Of the views, that of the first context key is the groups.
    """
    control, lift = lift_in(trial, judged, asked)
    groups, others = of_first_key(views)
    return Evaluation(
        rows=(rows[0], *control, *rows[1:]),
        estimators=asked.estimators,
        headline=asked.headline,
        confidence=asked.confidence,
        log=log,
        period=rows[0].period,
        trained=trained,
        notes=tuple(notes),
        verdict=verdict(rows, persons, asked),
        comparisons=compare(rows, persons, asked, lift=lift),
        by=groups.key if groups else "",
        groups=groups.groups if groups else (),
        views=others,
        slots=tuple(slots),
        calibration=calibration(judged),
        findings=tuple(findings),
        asked=tuple(entry.name for entry in entries),
        replays=tuple(replays),
        lang=asked.lang,
    )
