"""Reads a folder that `elige export` has written: one slot's log of a campaign, as the store would give it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson

from server.campaigns.model import Campaign
from server.errors import InvalidRequest, NoSuchCampaign
from server.evaluation.groups import groups_in
from server.evaluation.log import OnLeftOut, first_slot
from server.evaluation.reading import Reading, Wanted, read
from server.evaluation.request import EvaluationRequest, wanted_by
from server.files.export import FILE, LISTS, day_folder, exported_days, versions_folder
from server.records import Matured, Outcome, OutcomeStatus
from server.reward_anew import OtherReward, OutcomesOf, earned_anew, with_reward
from server.store import export as rows
from server.store.decisions import matured_of
from server.store.outcomes import outcome_of
from server.store.tables import campaigns as campaigns_table
from simulator import By, Candidate, Log
from simulator.sources.parquet import open_parquet

JSON_TEXTS = {
    name: [column for column, kind in rows.kinds(table).items() if kind == "json" and column not in LISTS]
    for name, table in {**rows.TABLES, "campaigns": campaigns_table}.items()
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A folder as where logs are, as `server.evaluation.run.Source` says."""

    folder: Path

    def read(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Reading:
        return read_exported(
            self.folder,
            request.campaign,
            wanted_by(request),
            since=request.since,
            until=request.until,
            reward=request.reward,
            progress=progress,
            left_out=left_out,
        )

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate:
        raise InvalidRequest(f"{name}: an export holds no snapshots; ask the database")

    def window(self, campaign: str) -> timedelta:
        versions = _versions(self.folder, campaign)
        return versions[max(versions)].reward.window

    def groups(self, log: Log, key: str, lang: str = "en") -> By:
        return groups_in(log, key)


def read_exported_log(
    folder: Path,
    campaign: str,
    *,
    slot: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    where: str | None = None,
    reward: OtherReward | None = None,
    progress: Callable[[float], None] = lambda done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Log:
    """The same log as `server.evaluation.log.read_log` gives of the store that was exported: the same rounds in order.

    Raises NoSuchCampaign, InvalidRequest for a folder that is no export or when no decision is left, ExpressionError,
    ParquetError.
    """
    versions = _versions(folder, campaign)
    wanted = Wanted((slot or first_slot(versions[max(versions)]),), where)
    return read_exported(
        folder, campaign, wanted, since=since, until=until, reward=reward, progress=progress, left_out=left_out
    ).slots[0]


def read_exported(
    folder: Path,
    campaign: str,
    wanted: Wanted,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    reward: OtherReward | None = None,
    progress: Callable[[float], None] = lambda done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Reading:
    """As `read_exported_log`, of several slots, and with what no policy sees. Raises what it raises."""
    days = exported_days(folder)
    if campaign not in days:
        raise NoSuchCampaign(campaign, days)
    versions = _versions(folder, campaign)
    newest = versions[max(versions)]
    if reward is not None:
        newest = with_reward(newest, reward)
    matured = _matured(
        folder,
        campaign,
        days[campaign],
        since=since,
        until=until,
        anew=newest if reward is not None else None,
        progress=progress,
    )
    kept = _AllOutcomes(folder, campaign, days[campaign])
    return read(matured, newest, versions.__getitem__, kept, wanted, left_out=left_out)


class _AllOutcomes:
    """The outcomes of all days, read once somebody asks for some: the rounds that a metric values come in any
    chunks.
    """

    def __init__(self, folder: Path, campaign: str, days: Sequence[str]) -> None:
        self._folder, self._campaign, self._days = folder, campaign, days
        self._told: list[OutcomesOf] = []

    def __call__(self, ids: Sequence[str]) -> Mapping[str, Sequence[Outcome]]:
        if not self._told:
            self._told = [_outcomes(self._folder, self._campaign, day) for day in self._days]
        found: dict[str, Sequence[Outcome]] = dict.fromkeys(ids, ())
        for of in self._told:
            found.update((decision_id, told) for decision_id, told in of(ids).items() if told)
        return found


def _versions(folder: Path, campaign: str) -> Mapping[int, Campaign]:
    days = exported_days(folder)
    if campaign not in days:
        raise NoSuchCampaign(campaign, days)
    rows = read_rows(versions_folder(folder, campaign) / FILE, "campaigns")
    return {int(row["version"]): Campaign.from_document(row["document"]) for row in rows}


def _matured(
    folder: Path,
    campaign: str,
    days: Sequence[str],
    *,
    since: datetime | None,
    until: datetime | None,
    anew: Campaign | None,
    progress: Callable[[float], None],
) -> Iterator[Matured]:
    """Day by day, in each in the order of the sequence: of decisions of one moment, which are of one day, that is the
    order in which the store gives them. `anew`: the campaign by whose formula they earn, if not by their own.
    """
    for done, day in enumerate(days, start=1):
        found = [
            one
            for one in _day(folder, campaign, day)
            if (since is None or one.decision.at >= since) and (until is None or one.decision.at < until)
        ]
        ordered = sorted(found, key=lambda one: one.sequence)
        yield from ordered if anew is None else earned_anew(ordered, anew, _outcomes(folder, campaign, day))
        progress(done / len(days))


def _day(folder: Path, campaign: str, day: str) -> Iterator[Matured]:
    def table(name: str) -> Iterator[dict[str, Any]]:
        return read_rows(day_folder(folder, name, campaign, day) / FILE, name)

    earned = {row["decision_id"]: row for row in table("rewards")}
    choices: dict[str, list[SimpleNamespace]] = {decision_id: [] for decision_id in earned}
    for row in table("choices"):
        if row["decision_id"] in choices:
            choices[row["decision_id"]].append(SimpleNamespace(**row))
    for row in table("decisions"):
        if reward := earned.get(row["decision_id"]):
            made = sorted(choices[row["decision_id"]], key=lambda choice: int(choice.position))
            yield matured_of(SimpleNamespace(**{**row, **reward, "campaign": campaign}), made)


def _outcomes(folder: Path, campaign: str, day: str) -> OutcomesOf:
    """The outcomes of a day's decisions that were not late."""
    told = read_rows(day_folder(folder, "outcomes", campaign, day) / FILE, "outcomes")
    kept = [SimpleNamespace(**row, campaign=campaign) for row in told if row["status"] != OutcomeStatus.LATE]
    by_decision: dict[str, list[Outcome]] = {}
    for row in sorted(kept, key=lambda row: (row.at, row.outcome_id)):
        by_decision.setdefault(row.decision_id, []).append(outcome_of(row))
    return lambda ids: {decision_id: by_decision.get(decision_id, []) for decision_id in ids}


def read_rows(path: Path, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a file, JSON texts as what they say. Raises ParquetError; InvalidRequest for a file that should be
    there.
    """
    if not path.exists():
        raise InvalidRequest(f"{path} is missing: expected all files that elige export has written")
    with open_parquet(path) as file:
        for batch in file.iter_batches():
            yield from (_row(row, table) for row in batch.to_pylist())


def _row(row: Mapping[str, Any], table: str) -> dict[str, Any]:
    told = {name: orjson.loads(row[name]) for name in JSON_TEXTS[table] if row.get(name) is not None}
    return {**row, **told}
