"""What a campaign's file, its state and its trainer say about its learning. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from server.campaigns.learning import counts, learning_slots
from server.campaigns.model import Campaign
from server.records import Decision, Kind, State
from server.store.facts import Facts
from server.training.findings import Finding, Said, Voice

ACTIVE = Said(en=("The campaign is active.", ""), es=("La campaña está activa.", ""))
DRAFT = Said(
    en=("The campaign is a draft: everybody gets the defaults.", "Set its state to active (SetCampaignState)."),
    es=("La campaña es un borrador: todos ven lo de por defecto.", "Ponga su estado en active (SetCampaignState)."),
)
PAUSED = Said(
    en=("The campaign is paused: everybody gets the defaults.", "Set its state to active (SetCampaignState)."),
    es=("La campaña está en pausa: todos ven lo de por defecto.", "Ponga su estado en active (SetCampaignState)."),
)
KILLED = Said(
    en=(
        "The campaign is killed: it shows the defaults and learns nothing.",
        "Set its state to active (SetCampaignState).",
    ),
    es=(
        "La campaña está cortada: muestra lo de por defecto y no aprende nada.",
        "Ponga su estado en active (SetCampaignState).",
    ),
)
ARCHIVED = Said(
    en=("The campaign is archived: it is over for good.", "Evaluate its log, or begin another."),
    es=("La campaña está archivada: terminó para siempre.", "Evalúe su registro, o empiece otra."),
)
ONLY_LOGS = Said(
    en=(
        "The campaign only decides and logs: its file says learn_from: [].",
        "Meant so? Else write learn_from: [drawn], and the whole log is learned.",
    ),
    es=(
        "La campaña solo decide y registra: su archivo dice learn_from: [].",
        "¿Es a propósito? Si no, escriba learn_from: [drawn], y se aprende el registro entero.",
    ),
)
NO_LEARNER = Said(
    en=("No slot has a policy that learns.", "Name one that does, or leave it to auto."),
    es=("Ninguna parte tiene una política que aprenda.", "Nombre una que aprenda, o déjelo en auto."),
)
OBSERVED_LEARNED = Said(
    en=("{n} observed choices were learned.", ""),
    es=("Elecciones observadas que se han aprendido: {n}.", ""),
)
NONE_OBSERVED = Said(
    en=(
        "No observed choice has been learned yet.",
        "Tell them as they are made (elige observe), or a whole log of them (elige import … --into).",
    ),
    es=(
        "Aún no se ha aprendido ninguna elección observada.",
        "Cuéntelas según se hacen (elige observe), o un registro entero de ellas (elige import … --into).",
    ),
)
OBSERVED_UNLEARNED = Said(
    en=(
        "{observed} of the last {n} decisions {observed:was|were} observed, and {observed:is|are} not learned.",
        "Write learn_from: [drawn, observed] to learn from them, too.",
    ),
    es=(
        "De las últimas {n} decisiones, {observed} eran observadas, y no se aprenden.",
        "Escriba learn_from: [drawn, observed] para aprender también de ellas.",
    ),
)
NO_TRAINER_EVER = Said(
    en=("No trainer has ever taken this campaign.", "See that a trainer runs: elige serve starts one."),
    es=(
        "Ningún entrenador ha tomado nunca esta campaña.",
        "Compruebe que hay un entrenador en marcha: elige serve arranca uno.",
    ),
)
TRAINER_GONE = Said(
    en=("No trainer runs: the lease of {holder} ended at {at}.", "See that a trainer runs: elige serve starts one."),
    es=(
        "No hay entrenador en marcha: el turno de {holder} terminó el {at}.",
        "Compruebe que hay un entrenador en marcha: elige serve arranca uno.",
    ),
)
TRAINER = Said(en=("The trainer {holder} holds the lease.", ""), es=("El entrenador {holder} tiene el turno.", ""))
OVERDUE = Said(
    en=(
        "{n} {n:window has|windows have} closed and {n:has|have} no reward yet.",
        "See that a trainer runs: elige serve starts one. If one does, its log says why: training failed.",
    ),
    es=(
        "Ventanas que se han cerrado y aún no tienen recompensa: {n}.",
        "Compruebe que hay un entrenador en marcha: elige serve arranca uno. Si lo hay, su registro de sucesos dice "
        "por qué: training failed.",
    ),
)

STATES = {State.DRAFT: DRAFT, State.PAUSED: PAUSED, State.KILLED: KILLED}


def of_state(state: State, voice: Voice) -> Finding:
    """Whether the campaign's state lets it learn."""
    if state is State.ACTIVE:
        return voice.ok("state", ACTIVE)
    return voice.note("state", ARCHIVED) if state is State.ARCHIVED else voice.problem("state", STATES[state])


def of_policies(campaign: Campaign, voice: Voice) -> Iterator[Finding]:
    """Whether there is anything that learns."""
    if not campaign.learn_from:
        yield voice.note("policy", ONLY_LOGS)
    elif not learning_slots(campaign):
        yield voice.note("policy", NO_LEARNER)


def of_observed(campaign: Campaign, recent: Sequence[Decision], voice: Voice, *, learned: int) -> Iterator[Finding]:
    """Choices made elsewhere: whether they are learned where they should be, and told where they are learned."""
    observed = sum(one.kind is Kind.OBSERVED for one in recent)
    if counts(campaign, Kind.OBSERVED):
        if learned:
            yield voice.ok("apprentice", OBSERVED_LEARNED, n=voice.count(learned))
        else:
            yield voice.note("apprentice", NONE_OBSERVED)
    elif campaign.learn_from and observed:
        n = voice.count(len(recent))
        yield voice.note("apprentice", OBSERVED_UNLEARNED, observed=voice.count(observed), n=n)


def of_trainer(facts: Facts, voice: Voice, *, now: datetime) -> Iterator[Finding]:
    """Whether a trainer holds the lease, and matures what is due."""
    if facts.lease_holder is None or facts.lease_expires is None:
        yield voice.problem("trainer", NO_TRAINER_EVER)
    elif facts.lease_expires <= now:
        at = voice.second(facts.lease_expires)
        yield voice.problem("trainer", TRAINER_GONE, holder=facts.lease_holder, at=at)
    else:
        yield voice.ok("trainer", TRAINER, holder=facts.lease_holder)
    if facts.overdue:
        yield voice.problem("trainer", OVERDUE, n=voice.count(facts.overdue))
