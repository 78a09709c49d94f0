"""What recent decisions of a campaign's version in force chose from, chose and knew. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from server.campaigns.model import Campaign
from server.records import Choice, Decision, Kind, Reason
from server.training.findings import Finding, Said, Voice
from server.training.of_log import ENOUGH

ALONE = 0.999
"""A policy that gives more than this to one variant is certain of it."""

FAILED = Said(
    en=(
        "In {n} of the last {all} choices the policy failed and the default was shown.",
        "The server's log says why: policy failed.",
    ),
    es=(
        "En {n} de las últimas {all} elecciones la política falló y se mostró lo de por defecto.",
        "El registro de sucesos del servidor dice por qué: policy failed.",
    ),
)
NONE_ELIGIBLE = Said(
    en=(
        "In {n} of {all} decisions no variant was eligible.",
        "See what the calls exclude: refusals in the table choices say it.",
    ),
    es=(
        "En {n} de {all} decisiones no había ninguna variante posible.",
        "Mire qué excluyen las llamadas: lo dice la columna refusals de la tabla choices.",
    ),
)
NEVER_ELIGIBLE = Said(
    en=(
        "{variant} was never eligible in the last {n} decisions.",
        "See what the calls exclude: refusals in the table choices say it.",
    ),
    es=(
        "{variant} nunca fue posible en las últimas {n} decisiones.",
        "Mire qué excluyen las llamadas: lo dice la columna refusals de la tabla choices.",
    ),
)
NEVER_SHOWN = Said(
    en=(
        "{variant} was eligible {n} {n:time|times} and never shown.",
        "Raise explore, or give it a share: {{min: 0.05}}.",
    ),
    es=(
        "{variant} fue posible {n} {n:vez|veces} y no se mostró nunca.",
        "Suba explore, o dele una parte: {{min: 0.05}}.",
    ),
)
CERTAIN = Said(
    en=(
        "Each of the last {n} decisions was certain: nothing is tried any more.",
        "Raise explore: what is never shown can't be learned of.",
    ),
    es=(
        "Las últimas {n} decisiones fueron todas seguras: ya no se prueba nada.",
        "Suba explore: de lo que nunca se muestra no se puede aprender.",
    ),
)
ONE_FAVOURITE = Said(
    en=(
        "All but the explore share went to {variant} in each of the last {n} decisions.",
        "Right if it is best for everybody: elige evaluate tells. Else try another policy.",
    ),
    es=(
        "En todas las últimas {n} decisiones, todo menos lo que se reserva para explorar fue para {variant}.",
        "Está bien si es lo mejor para todos: lo dice elige evaluate. Si no, pruebe otra política.",
    ),
)
DROPPED = Said(
    en=(
        "{key} was dropped in {n} of {all} decisions: not declared, or not of its kind.",
        "Declare it under context, or stop sending it.",
    ),
    es=(
        "{key} se descartó en {n} de {all} decisiones: no está declarado, o no es de su tipo.",
        "Declárelo en context, o deje de enviarlo.",
    ),
)
MISSING = Said(
    en=(
        "{key} is declared and was in none of the last {n} decisions.",
        "Send it, or take it out of the campaign file.",
    ),
    es=(
        "{key} está declarado y no venía en ninguna de las últimas {n} decisiones.",
        "Envíelo, o quítelo del archivo de campaña.",
    ),
)
CONSTANT = Said(
    en=(
        "{key} was {value} in all of the last {n} decisions: it tells nobody apart.",
        "Send what differs from person to person, or take it out.",
    ),
    es=(
        "{key} valía {value} en todas las últimas {n} decisiones: no distingue a nadie.",
        "Envíe lo que cambie de una persona a otra, o quítelo.",
    ),
)


def of_slots(campaign: Campaign, recent: Sequence[Decision], voice: Voice) -> Iterator[Finding]:
    """What recent decisions of this version chose from and chose."""
    made = [choice for decision in recent for choice in decision.choices]
    failed = sum(choice.reason is Reason.POLICY_FAILED for choice in made)
    if failed:
        yield voice.problem("policy", FAILED, n=voice.count(failed), all=voice.count(len(made)))
    for slot, declared in campaign.slots.items():
        ours = [choice for choice in made if choice.slot == slot]
        drawn = [choice for choice in ours if choice.kind is Kind.POLICY]
        if len(ours) >= ENOUGH:
            yield from _of_variants(slot, [variant.id for variant in declared.variants], ours, drawn, voice)


def _of_variants(
    slot: str, variants: Sequence[str], ours: Sequence[Choice], drawn: Sequence[Choice], voice: Voice
) -> Iterator[Finding]:
    about = f"slot {slot}"
    nothing = sum(choice.reason is Reason.NOTHING_ELIGIBLE for choice in ours)
    if nothing > len(ours) / 10:
        yield voice.note(about, NONE_ELIGIBLE, n=voice.count(nothing), all=voice.count(len(ours)))
    if len(drawn) < ENOUGH:
        return
    eligible = Counter(variant for choice in drawn for variant in choice.eligible)
    shown = Counter(choice.variant for choice in drawn)
    for variant in variants:
        if not eligible[variant]:
            yield voice.note(about, NEVER_ELIGIBLE, variant=repr(variant), n=voice.count(len(drawn)))
        elif not shown[variant]:
            yield voice.note(about, NEVER_SHOWN, variant=repr(variant), n=voice.count(eligible[variant]))
    yield from _of_certainty(about, [one for one in drawn if len(one.eligible) > 1 and one.probabilities], voice)


def _of_certainty(about: str, drawn: Sequence[Choice], voice: Voice) -> Iterator[Finding]:
    """Whether the policy gave all it had to give to one variant, every time."""
    if len(drawn) < ENOUGH or not all(_own_share(choice) > ALONE for choice in drawn):
        return
    n = voice.count(len(drawn))
    if all(choice.explore == 0.0 for choice in drawn):
        yield voice.problem(about, CERTAIN, n=n)
        return
    favourites = {choice.eligible[choice.probabilities.index(max(choice.probabilities))] for choice in drawn}
    if len(favourites) == 1:
        (favourite,) = favourites
        yield voice.note(about, ONE_FAVOURITE, variant=repr(favourite), n=n)


def _own_share(choice: Choice) -> float:
    """The largest probability of the policy itself: what is left without the explore share."""
    if choice.explore == 1.0:
        return 0.0
    return (max(choice.probabilities) - choice.explore / len(choice.eligible)) / (1.0 - choice.explore)


def of_context(campaign: Campaign, recent: Sequence[Decision], voice: Voice) -> Iterator[Finding]:
    """What recent decisions of this version knew of people, and what was dropped."""
    if len(recent) < ENOUGH:
        return
    n = voice.count(len(recent))
    dropped = Counter(name for decision in recent for name in decision.ignored_context)
    for name, count in sorted(dropped.items()):
        yield voice.note("context", DROPPED, key=repr(name), n=voice.count(count), all=n)
    declared = () if campaign.context == "any" else sorted(campaign.context)
    for name in declared:
        values = [decision.context[name] for decision in recent if name in decision.context]
        if not values:
            yield voice.note("context", MISSING, key=repr(name), n=n)
        elif len(values) == len(recent) and len(set(values)) == 1:
            yield voice.note("context", CONSTANT, key=repr(name), value=repr(values[0]), n=n)
