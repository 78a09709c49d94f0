"""Is a campaign learning, and if not, why? Found from the log alone; nothing is written."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from policies.base import Telling, UnreadableSnapshot
from server.campaigns.catalogue import serve
from server.campaigns.learning import fits, goes_on, learning_slots, matching_states
from server.campaigns.model import Campaign
from server.errors import Diverged
from server.records import Decision, Snapshot, State
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import erasures as erasure_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.store.facts import Facts, observed_learned, read_facts
from server.training.findings import Finding, Said, Voice, Word
from server.training.learners import learn_segment
from server.training.of_campaign import of_observed, of_policies, of_state, of_trainer
from server.training.of_choices import of_context, of_slots
from server.training.of_log import of_log
from server.training.trainer import SEGMENT
from server.trial import try_policy, try_states

LOOKED_AT = 2_000
"""The newest decisions, whose choices and contexts are looked at one by one."""
ASKED = 50
"""Of these, those for which the newest snapshot is asked."""
PATIENCE = timedelta(minutes=1)
"""How long something may wait before that is a finding. A trainer that runs passes four times a second."""

TRAINED_ANEW = Said(
    en=(
        "It is trained anew, without a person who was erased; what was learned before serves until then.",
        "Wait. The erasure says how far it is.",
    ),
    es=(
        "Se entrena de nuevo, sin una persona cuyos datos se borraron; hasta entonces sirve lo aprendido antes.",
        "Espere. El borrado dice por dónde va.",
    ),
)
PINNED = Said(
    en=("Snapshot {number} is pinned: what is served does not get better.", "To serve the newest: {unpin}"),
    es=("El snapshot {number} está fijado: lo que se sirve no mejora.", "Para servir el más nuevo: {unpin}"),
)
PINNED_UNFIT = Said(
    en=(
        "Snapshot {number} is pinned and can't serve: withdrawn, damaged, or for other slots or policies.",
        "The newest good one serves. Say so: {unpin}",
    ),
    es=(
        "El snapshot {number} está fijado y no puede servir: retirado, dañado, o para otras partes o políticas.",
        "Sirve el más nuevo que esté bien. Confírmelo: {unpin}",
    ),
)
UNSERVABLE = Said(
    en=(
        "Snapshot {number}, the newest, can't be served: {error}.",
        "The last good one is served instead. The trainer's log says what happened.",
    ),
    es=(
        "El snapshot {number}, el más nuevo, no se puede servir: {error}.",
        "En su lugar se sirve el último que estaba bien. El registro de sucesos del entrenador dice qué pasó.",
    ),
)
DAMAGED = Word(en="its bytes are damaged", es="sus bytes están dañados")
FOUND = Said(en=("{line}.", ""), es=("{line}.", ""))
ALL_LEARNED = Said(
    en=("Snapshot {number} has learned {n:the|all} {n} {n:reward there is|rewards there are}.", ""),
    es=("El snapshot {number} ha aprendido todas las recompensas que hay: {n}.", ""),
)
AT_IT = Said(
    en=(
        "{n} {n:reward waits|rewards wait} to be learned, {n:since|the first since} {since}; the trainer is at it.",
        "Wait.",
    ),
    es=("Recompensas por aprender: {n}, la primera desde el {since}; el entrenador está en ello.", "Espere."),
)
FAILS = Said(
    en=(
        "{n} {n:reward waits|rewards wait} to be learned, {n:since|the first since} {since}: learning "
        "{n:it|them} fails. {reason}.",
        "What was served stays. Another policy or parameter learns the log again from its beginning.",
    ),
    es=(
        "Recompensas por aprender: {n}, la primera desde el {since}: al aprenderlas hay un fallo. {reason}.",
        "Se sigue sirviendo lo que se servía. Otra política u otro parámetro aprende el registro desde el principio.",
    ),
)
COULD_BE = Said(
    en=(
        "{n} {n:reward waits|rewards wait} to be learned, {n:since|the first since} {since}, and could be.",
        "See that a trainer runs: elige serve starts one.",
    ),
    es=(
        "Recompensas por aprender: {n}, la primera desde el {since}, y se podrían aprender.",
        "Compruebe que hay un entrenador en marcha: elige serve arranca uno.",
    ),
)


def diagnose(database: Database, campaign: str, *, now: datetime, lang: str = "en") -> tuple[Finding, ...]:
    """What there is to say about a campaign's learning, problems first. lang: of the sentences, `en` or `es`; what an
    error says stays English. Raises NoSuchCampaign.
    """
    voice = Voice(lang)
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign)
        current = Campaign.from_document(stored.document)
        newest, *_ = *training_rows.list_snapshots(connection, campaign, before=None, limit=1, serving=True), None
        replaced = erasure_rows.to_replace(connection, campaign)
        base = newest if newest and goes_on(current, newest.slots) else None
        through = base.trained_through if base else 0
        pinned = training_rows.read_snapshot(connection, stored.pinned_snapshot) if stored.pinned_snapshot else None
        facts = read_facts(connection, campaign, learned_through=through, now=now, patience=PATIENCE)
        observed = observed_learned(connection, campaign, learning_slots(current), through=through)
        recent = decision_rows.newest(connection, campaign, limit=LOOKED_AT)
    found = [of_state(State(stored.state), voice)]
    if stored.state != State.ARCHIVED:
        ours = [one for one in recent if one.version == stored.version]
        found += of_log(current, facts, voice, now=now)
        found += of_trainer(facts, voice, now=now)
        found += of_slots(current, ours, voice)
        found += of_context(current, ours, voice)
        found += of_policies(current, voice)
        found += of_observed(current, recent, voice, learned=observed)
        if learning_slots(current):
            if stored.pinned_snapshot is not None:
                found.append(_of_pinned(current, stored.pinned_snapshot, pinned, voice))
            found += _of_snapshot(stored, current, newest, ours, voice)
            if replaced is not None:
                found.append(voice.note("snapshot", TRAINED_ANEW))
            elif stored.state != State.KILLED:
                found += _of_progress(database, current, base, facts, voice, now=now)
    return tuple(sorted(found, key=lambda one: one.level.rank))


def stuck(database: Database, stored: StoredCampaign, *, now: datetime) -> bool:
    """Whether rewards wait to be learned for longer than a trainer that works leaves them: a glance, beside which
    `diagnose` is the examination.
    """
    if stored.state not in (State.ACTIVE, State.PAUSED) or not learning_slots(Campaign.from_document(stored.document)):
        return False
    with database.reading() as connection:
        newest = next((one for one, _ in training_rows.kept_bytes(connection, stored.campaign, limit=1)), None)
        through = newest.trained_through if newest else 0
        since = training_rows.waiting_since(connection, stored.campaign, learned_through=through)
    late = now - PATIENCE
    return since is not None and since < late and (newest is None or newest.created_at < late)


def _of_pinned(current: Campaign, number: int, pinned: Snapshot | None, voice: Voice) -> Finding:
    """A snapshot that serves whatever is learned, or should."""
    unpin = f"elige train unpin --campaign {current.campaign}"
    if pinned is not None and pinned.intact and not pinned.withdrawn and fits(current, pinned.slots):
        return voice.note("snapshot", PINNED, number=str(number), unpin=unpin)
    return voice.problem("snapshot", PINNED_UNFIT, number=str(number), unpin=unpin)


def _of_snapshot(
    stored: StoredCampaign, current: Campaign, newest: Snapshot | None, recent: Iterable[Decision], voice: Voice
) -> Iterator[Finding]:
    """Whether the newest snapshot can be served, and what its learners found out."""
    if newest is None:
        return
    try:
        if not newest.intact:
            raise Diverged(voice.word(DAMAGED))
        served = serve(stored, newest)
        asked = list(recent)[:ASKED]
        for name, slot in served.slots.items():
            try_policy(current, name, slot.policy, asked, lambda version: current)
    except (Diverged, UnreadableSnapshot) as error:
        yield voice.problem("snapshot", UNSERVABLE, number=str(newest.id), error=str(error))
        return
    for name, slot in served.slots.items():
        if isinstance(slot.policy, Telling):
            lines = slot.policy.findings(voice.lang)
            yield from (voice.ok(f"slot {name}", FOUND, line=line) for line in lines)


def _of_progress(
    database: Database, current: Campaign, base: Snapshot | None, facts: Facts, voice: Voice, *, now: datetime
) -> Iterator[Finding]:
    """Whether what is matured is learned; where it is not, what happens when it is tried."""
    if facts.waiting_since is None:
        if base is not None:
            yield voice.ok("snapshot", ALL_LEARNED, number=str(base.id), n=voice.count(base.trained_through))
        return
    parts = {"n": voice.count(facts.waiting), "since": voice.moment(facts.waiting_since)}
    if facts.waiting_since > now - PATIENCE or (base is not None and base.created_at > now - PATIENCE):
        yield voice.note("snapshot", AT_IT, **parts)
    elif reason := _trial(database, current, base):
        yield voice.problem("snapshot", FAILS, reason=reason, **parts)
    else:
        yield voice.problem("snapshot", COULD_BE, **parts)


def _trial(database: Database, current: Campaign, base: Snapshot | None) -> str:
    """Learn what waits as the trainer would, without saving it; why that fails, or nothing."""
    campaign = current.campaign
    versions: dict[int, Campaign] = {}
    with database.reading() as connection:
        after = base.trained_through if base else 0
        rows = decision_rows.matured(connection, campaign, after=after, limit=SEGMENT)
        for version in {row.decision.version for row in rows}:
            versions[version] = Campaign.from_document(
                campaign_rows.read_version(connection, campaign, version).document
            )
    try:
        before = matching_states(current, base.slots) if base else {}
        states, _ = learn_segment(current, before, rows, versions.__getitem__)
        try_states(current, states, rows, versions.__getitem__)
    except Diverged as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 whatever stops the trainer is what was asked
        return f"{type(error).__name__}: {error}"
    return ""
