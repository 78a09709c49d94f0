"""Is all well with a campaign? What its doctor says of the present, and what its log says of a period."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.errors import InvalidRequest
from server.evaluation.log import read_log
from server.store import training as training_rows
from server.store.database import Database
from server.training.doctor import diagnose
from server.training.findings import Finding as Told
from server.training.findings import Level
from simulator import LANGUAGES, Finding, Severity, diagnose_log

LOOKED_AT = 5_000
"""The newest matured decisions of a period: more would cost the decisions that are made meanwhile."""
USUAL_PERIOD = timedelta(days=7)

_SEVERITIES = {Level.OK: Severity.GREEN, Level.NOTE: Severity.AMBER, Level.PROBLEM: Severity.RED}
_SLOT = "slot "


@dataclass(frozen=True, slots=True)
class Examined:
    """A finding, and the slot that it is about; empty: the campaign."""

    finding: Finding
    slot: str = ""


def examine(
    database: Database, campaign: str, *, since: datetime | None, until: datetime | None, lang: str, now: datetime
) -> tuple[Examined, ...]:
    """Every check that could be made, the worst first. What the log says is about its first slot, and about at most
    LOOKED_AT decisions; since: by default USUAL_PERIOD before `until`, or `now`.

    lang: of the sentences. Raises NoSuchCampaign.
    """
    found = [_of_doctor(one) for one in diagnose(database, campaign, now=now, lang=lang)]
    since = since or (until or now) - USUAL_PERIOD
    found += _of_log(database, campaign, since=since, until=until, lang=lang)
    return tuple(sorted(found, key=lambda one: one.finding.severity.rank))


def checked_language(lang: str) -> str:
    """English where none is asked for. Raises InvalidRequest for one that there isn't."""
    if lang and lang not in LANGUAGES:
        raise InvalidRequest(f"language {lang!r}: expected one of {', '.join(LANGUAGES)}")
    return lang or "en"


def _of_doctor(told: Told) -> Examined:
    check, slot = ("slot", told.about.removeprefix(_SLOT)) if told.about.startswith(_SLOT) else (told.about, "")
    return Examined(Finding(check, _SEVERITIES[told.level], told.says, told.do), slot)


def _of_log(
    database: Database, campaign: str, *, since: datetime, until: datetime | None, lang: str
) -> Iterable[Examined]:
    with database.reading() as connection:
        first = training_rows.last_sequence(connection, campaign) - LOOKED_AT + 1
        begun = training_rows.decided_at(connection, campaign, first) if first > 0 else None
    try:
        log = read_log(database, campaign, since=max(since, begun) if begun else since, until=until)
    except InvalidRequest:  # nothing has matured in this period, which the doctor has said if it is wrong
        return ()
    return [Examined(one, log.slot) for one in diagnose_log(log, lang=lang)]
