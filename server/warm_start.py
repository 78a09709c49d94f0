"""A log that others kept, told to a campaign that exists: what its learners can begin with."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from server.campaigns.catalogue import Served, serve
from server.campaigns.learning import counts
from server.campaigns.model import Campaign
from server.errors import Conflict, InvalidRequest, NotDeclared
from server.ids import RANDOM
from server.imports import CHUNK, WINDOW
from server.observe import ObservedChoice, ObserveRequest, observe
from server.records import Candidate, Decision, Kind, Outcome, Reason
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store.database import Database
from server.store.decisions import Repeat
from simulator.logs.rounds import known_propensity
from simulator.sources.files import Source


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the rows. `known`: those that an earlier call had told. `ignored`: how many decisions had a key of
    the context that the campaign does not declare, or declares of another kind. `learned`: whether the campaign learns
    from them.
    """

    slot: str
    learned: bool
    decisions: int = 0
    outcomes: int = 0
    known: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)


def tell_log(
    database: Database,
    source: Source,
    *,
    campaign: str,
    now: datetime,
    slot: str | None = None,
    metric: str | None = None,
    progress: Callable[[float], None] = lambda done: None,
) -> Told:
    """Write every row as a decision observed in this slot, with its reward as one outcome of this metric; either may be
    left out where the campaign has only one. A reward of 0 is no outcome.

    Their windows are closed: a trainer gives them their places in the sequence, in the order of their times. Rows
    without times get one second each, the last at `now`. A row is known by its place in the file of this name, and told
    once, however often it is read: a call that was cut short is made again.

    Raises NoSuchCampaign, NotDeclared, InvalidRequest for variants that the slot does not have, Conflict for a file of
    this name with other rows.
    """
    with database.reading() as connection:
        served = serve(campaign_rows.read_version(connection, campaign), None)
    name, metric = _slot(served, slot, source.slot), _metric(served.campaign, metric)
    _check_variants(served, name, source)
    told = Told(name, learned=counts(served.campaign, Kind.OBSERVED))
    ignored: Counter[str] = Counter()
    places = sorted(range(len(source.rounds)), key=lambda place: source.rounds[place].time)
    for start in range(0, len(places), CHUNK):
        rows = [
            (_observed(database.secret, served, source, place, slot=name, order=order, now=now), source.rounds[place])
            for order, place in enumerate(places[start : start + CHUNK], start=start)
        ]
        with database.writing([campaign]) as connection:
            answers = decision_rows.append(connection, [decision for decision, _ in rows])
            _refuse_others(answers, source.name)
            fresh = [row for row, answer in zip(rows, answers, strict=True) if not isinstance(answer, Repeat)]
            outcomes = [
                Outcome(decision.id, campaign, metric, one.reward, decision.at, now)
                for decision, one in fresh
                if one.reward != 0.0
            ]
            outcome_rows.insert_rows(connection, outcomes)
        ignored.update(key for decision, _ in fresh for key in decision.ignored_context)
        told = replace(
            told,
            decisions=told.decisions + len(fresh),
            outcomes=told.outcomes + len(outcomes),
            known=told.known + len(rows) - len(fresh),
            ignored=dict(ignored),
        )
        progress((start + len(rows)) / len(places))
    return told


def _observed(
    secret: bytes, served: Served, source: Source, place: int, *, slot: str, order: int, now: datetime
) -> Decision:
    """One row. `place`: in the file; `order`: by time. Raises InvalidRequest, naming the row."""
    one = source.rounds[place]
    at = datetime.fromtimestamp(one.time, UTC) if source.timed else None
    request_id = f"import:{_digest(source.name, 16).hex()}:{place + 1}"
    declared = served.slots[slot].actions
    request = ObserveRequest(
        campaign=served.name,
        choices=(
            ObservedChoice(
                slot=slot,
                variant=one.chosen,
                propensity=known_propensity(one),
                eligible=tuple(action.id for action in one.actions),
                candidates=tuple(Candidate(a.id, {}, a.features) for a in one.actions if a.id not in declared),
            ),
        ),
        person=None if one.person is None else str(one.person),
        context=one.context,
        labels={"import": source.name, "row": place + 1},
        request_id=request_id,
        at=at,
    )
    untimed = now - timedelta(seconds=len(source.rounds) - 1 - order)
    row = _digest(f"{served.name}\x00{request_id}", RANDOM)
    try:
        decision = observe(
            served, request, secret=secret, now=now if source.timed else untimed, random=row, longest_window=WINDOW
        )
    except InvalidRequest as error:
        raise InvalidRequest(f"{source.name}, row {place + 1}: {error}") from error
    (choice,) = decision.choices
    if one.probabilities is not None:
        known = {action.id: float(p) for action, p in zip(one.actions, one.probabilities, strict=True)}
        choice = replace(choice, probabilities=tuple(known[variant] for variant in choice.eligible))
    return replace(decision, choices=(replace(choice, reason=Reason.IMPORTED, policy="imported"),))


def _slot(served: Served, asked: str | None, in_file: str) -> str:
    """The one asked for, else the only one, else the one that the file names."""
    known = ", ".join(map(repr, served.slots))
    if asked is None and len(served.slots) == 1:
        return next(iter(served.slots))
    name = in_file if asked is None else asked
    if name in served.slots:
        return name
    if asked is None:
        raise NotDeclared(f"which slot? campaign {served.name!r} has: {known}")
    raise NotDeclared(f"campaign {served.name!r} has no slot {asked!r}; it has: {known}")


def _metric(campaign: Campaign, asked: str | None) -> str:
    known = ", ".join(map(repr, campaign.metrics))
    if asked is None and len(campaign.metrics) > 1:
        raise NotDeclared(f"which metric is the reward of the file? campaign {campaign.campaign!r} declares {known}")
    name = next(iter(campaign.metrics)) if asked is None else asked
    if name not in campaign.metrics:
        raise NotDeclared(f"campaign {campaign.campaign!r} has no metric {name!r}; it declares {known}")
    return name


def _check_variants(served: Served, slot: str, source: Source) -> None:
    """Before anything is written: a file of another campaign is recognised by its variants."""
    one = served.slots[slot]
    strange = [action.id for action in source.actions if action.id not in one.actions]
    if strange and not one.takes_candidates:
        known = ", ".join(map(repr, list(one.actions)[:30]))
        others = ", ".join(map(repr, strange[:30]))
        raise InvalidRequest(f"slot {slot!r} of campaign {served.name!r} has no variant {others}; it has: {known}")


def _refuse_others(answers: Iterable[object], name: str) -> None:
    for answer in answers:
        if isinstance(answer, Repeat) and not answer.same_payload:
            row = answer.decision.labels.get("row")
            raise Conflict(f"row {row} of {name} was imported before, and was another: give the file another name")


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()
