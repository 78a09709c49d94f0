"""What a campaign's log says about its learning: decisions, outcomes, windows, rewards, traffic. Pure."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from server.campaigns.learning import learning_slots
from server.campaigns.model import Campaign
from server.records import Excluded
from server.store.facts import Facts
from server.training.findings import Finding, Said, Voice, Word

EXAMPLES_A_VARIANT = 300
"""What a variant needs, roughly, before its difference from another of a few per cent shows."""
ENOUGH = 30
"""Fewer decisions or rewards say nothing about what is always or never so."""

NO_DECISION = Said(
    en=("There is no decision yet.", "Ask for one: elige decide {campaign}."),
    es=("Todavía no hay ninguna decisión.", "Pida una: elige decide {campaign}."),
)
DECISIONS = Said(
    en=("{n} {n:decision|decisions}, {today} in the last 24 hours.", ""),
    es=("Decisiones: {n}, de ellas {today} en las últimas 24 horas.", ""),
)
DECISIONS_CEASED = Said(
    en=(
        "{n} {n:decision|decisions}, 0 in the last 24 hours; the last one at {at}.",
        "See that the page still asks for decisions.",
    ),
    es=(
        "Decisiones: {n}, ninguna en las últimas 24 horas; la última, el {at}.",
        "Compruebe que la página sigue pidiendo decisiones.",
    ),
)
WINDOWS = Said(
    en=("{n} {n:window is|windows are} open; {n:it|the next} closes at {at}.", ""),
    es=("Ventanas abiertas: {n}; la próxima se cierra el {at}.", ""),
)
FIRST_WINDOWS = Said(
    en=(
        "{n} {n:window is|windows are} open; {n:it|the next} closes at {at}: nothing can be learned before.",
        "Wait, or give reward a shorter window.",
    ),
    es=(
        "Ventanas abiertas: {n}; la próxima se cierra el {at}: antes no se puede aprender nada.",
        "Espere, o dé a reward una ventana más corta.",
    ),
)
AWAITED = Said(
    en=("{n} {n:decision waits for its|decisions wait for their} activation.", ""),
    es=("Decisiones que esperan a que se las active: {n}.", ""),
)
NO_OUTCOME = Said(
    en=("There is no outcome of any decision yet.", "Send them: elige reward DECISION, or the call Reward."),
    es=(
        "Todavía no hay ningún resultado de ninguna decisión.",
        "Envíelos: elige reward DECISION, o la llamada Reward.",
    ),
)
NO_OUTCOME_AT_CLOSE = Said(
    en=(
        "There is no outcome of any decision, and windows have closed.",
        "Send them: elige reward DECISION, or the call Reward.",
    ),
    es=(
        "No hay ningún resultado de ninguna decisión, y ya se han cerrado ventanas.",
        "Envíelos: elige reward DECISION, o la llamada Reward.",
    ),
)
OUTCOMES = Said(en=("Outcomes: {counts}.", ""), es=("Resultados: {counts}.", ""))
UNMATCHED = Said(
    en=(
        "{n} {n:outcome belongs|outcomes belong} to no decision in the log, {n:since|the first since} {since}.",
        "See that decisions and outcomes go to one database, and that what was shown came from a logged decision.",
    ),
    es=(
        "Resultados que no son de ninguna decisión del registro: {n}, el primero desde el {since}.",
        "Compruebe que decisiones y resultados van a la misma base de datos, y que lo que se mostró venía de una "
        "decisión registrada.",
    ),
)
UNDECLARED = Said(
    en=(
        "{n} {n:outcome|outcomes} of {metric} {n:counts|count} for nothing: the campaign declares {declared}.",
        "Declare the metric again, or stop sending it.",
    ),
    es=(
        "Resultados de {metric} que no cuentan: {n}; la campaña declara {declared}.",
        "Vuelva a declarar la métrica, o deje de enviarla.",
    ),
)
LATE = Said(
    en=(
        "{n} of {all} outcomes came after {n:its|their} window, and {n:does|do} not count.",
        "Send them sooner, or give reward a longer window.",
    ),
    es=(
        "Resultados que llegaron después de su ventana, y no cuentan: {n} de {all}.",
        "Envíelos antes, o dé a reward una ventana más larga.",
    ),
)
EXPIRED = Said(
    en=(
        "{n} of the last {all} decisions {n:was|were} not activated in time, and {n:counts|count} for nothing.",
        "See that what is shown or sent is activated (Activate), or give it longer: activation_ttl.",
    ),
    es=(
        "No cuentan, por no activarse a tiempo, {n} de las últimas {all} decisiones.",
        "Compruebe que se activa lo que se muestra o se envía (Activate), o dele más tiempo: activation_ttl.",
    ),
)
CANCELLED = Said(
    en=(
        "{n} of the last {all} decisions never arrived, as outcomes say, and {n:counts|count} for nothing.",
        "See where they went: who is not reached teaches nothing.",
    ),
    es=(
        "No cuentan, por no haber llegado según sus resultados, {n} de las últimas {all} decisiones.",
        "Mire adónde fueron: de quien no recibe nada no se aprende nada.",
    ),
)
ERASED = Said(
    en=(
        "{n} of the last {all} decisions {n:was of a person|were of persons} since erased, and {n:counts|count} for "
        "nothing.",
        "",
    ),
    es=("No cuentan, por ser de personas cuyos datos se borraron, {n} de las últimas {all} decisiones.", ""),
)
SPOILT = Said(
    en=("{n} of the last {all} rewards {n:is|are} no number: {error}.", "Correct the formula in reward: value."),
    es=(
        "Recompensas que no son un número, de las últimas {all}: {n}. {error}.",
        "Corrija la fórmula de reward: value.",
    ),
)
ALL_ALIKE = Said(
    en=(
        "All of the last {n} rewards are {value}: there is nothing to learn.",
        "See that outcomes arrive inside the window and that the formula uses them.",
    ),
    es=(
        "Las últimas {n} recompensas son todas {value}: no hay nada que aprender.",
        "Compruebe que los resultados llegan dentro de la ventana y que la fórmula los usa.",
    ),
)
REWARDS = Said(
    en=("The last {n} rewards lie between {low} and {high}.", ""),
    es=("Las últimas {n} recompensas están entre {low} y {high}.", ""),
)
OUTSIDE = Said(
    en=(
        "Rewards reach {values}, outside the range {declared}, and are cut off there.",
        "Declare the range that rewards have.",
    ),
    es=(
        "Hay recompensas que llegan a {values}, fuera del rango {declared}, y se recortan ahí.",
        "Declare el rango que tienen las recompensas.",
    ),
)
NO_TRAFFIC = Said(
    en=(
        "{n} of about {needed} decisions that the {variants} variants of {slot} need ({each} each), and none in the "
        "last 24 hours.",
        "Bring it where people come.",
    ),
    es=(
        "{n} de las {needed} decisiones, más o menos, que necesitan las {variants} variantes de {slot} ({each} cada "
        "una), y ninguna en las últimas 24 horas.",
        "Póngala donde haya gente.",
    ),
)
TRAFFIC = Said(
    en=(
        "{n} of about {needed} decisions that the {variants} variants of {slot} need ({each} each): at today's rate of "
        "{rate} a day, {days}.",
        "Wait, or begin with fewer variants.",
    ),
    es=(
        "{n} de las {needed} decisiones, más o menos, que necesitan las {variants} variantes de {slot} ({each} cada "
        "una): al ritmo de hoy, {rate} al día, {days}.",
        "Espere, o empiece con menos variantes.",
    ),
)
AND = Word(en=" and ", es=" y ")
ONE_DAY = Word(en="1 more day", es="1 día más")
DAYS = Word(en="{n} more days", es="{n} días más")


def of_log(campaign: Campaign, facts: Facts, voice: Voice, *, now: datetime) -> Iterator[Finding]:
    """Decisions, outcomes, windows and rewards."""
    if facts.last_decision is None or facts.first_decision is None:
        yield voice.problem("decisions", NO_DECISION, campaign=campaign.campaign)
        return
    n = voice.count(facts.decisions)
    if facts.decisions_today:
        yield voice.ok("decisions", DECISIONS, n=n, today=voice.count(facts.decisions_today))
    else:
        yield voice.note("decisions", DECISIONS_CEASED, n=n, at=voice.moment(facts.last_decision))
    yield from _of_outcomes(campaign, facts, voice)
    if facts.next_close is not None:
        say, said = (voice.ok, WINDOWS) if facts.last_sequence else (voice.note, FIRST_WINDOWS)
        yield say("windows", said, n=voice.count(facts.open_windows), at=voice.second(facts.next_close))
    if facts.awaited:
        yield voice.ok("activation", AWAITED, n=voice.count(facts.awaited))
    yield from _of_excluded(facts, voice)
    yield from _of_rewards(campaign, facts, voice)
    if learning_slots(campaign):
        yield from _of_traffic(campaign, facts, voice, now=now)


def _of_outcomes(campaign: Campaign, facts: Facts, voice: Voice) -> Iterator[Finding]:
    happened = sum(facts.outcomes.values())
    if happened:
        counts = ", ".join(f"{voice.count(count)} {metric}" for metric, count in sorted(facts.outcomes.items()))
        yield voice.ok("outcomes", OUTCOMES, counts=counts)
    elif facts.last_sequence:
        yield voice.problem("outcomes", NO_OUTCOME_AT_CLOSE)
    else:
        yield voice.note("outcomes", NO_OUTCOME)
    if facts.unmatched and facts.unmatched_since:
        since = voice.moment(facts.unmatched_since)
        yield voice.problem("outcomes", UNMATCHED, n=voice.count(facts.unmatched), since=since)
    declared = ", ".join(campaign.metrics)
    for metric, count in sorted(facts.outcomes.items()):
        if metric not in campaign.metrics:
            yield voice.note("outcomes", UNDECLARED, n=voice.count(count), metric=repr(metric), declared=declared)
    if facts.late > happened / 10:
        yield voice.note("outcomes", LATE, n=voice.count(facts.late), all=voice.count(happened))


_COUNT_FOR_NOTHING = {Excluded.EXPIRED: EXPIRED, Excluded.CANCELLED: CANCELLED, Excluded.ERASED: ERASED}


def _of_excluded(facts: Facts, voice: Voice) -> Iterator[Finding]:
    looked_at = facts.valued + facts.spoilt + sum(facts.excluded.values())
    for why, said in _COUNT_FOR_NOTHING.items():
        if count := facts.excluded.get(why, 0):
            many = why is not Excluded.ERASED and count > looked_at / 10
            say = voice.note if many else voice.ok
            yield say("rewards", said, n=voice.count(count), all=voice.count(looked_at))


def _of_rewards(campaign: Campaign, facts: Facts, voice: Voice) -> Iterator[Finding]:
    if facts.spoilt:
        spoilt, looked_at = voice.count(facts.spoilt), voice.count(facts.spoilt + facts.valued)
        yield voice.problem("rewards", SPOILT, n=spoilt, all=looked_at, error=str(facts.error).rstrip("."))
    if facts.valued < ENOUGH or facts.lowest is None or facts.highest is None:
        return
    n, low, high = voice.count(facts.valued), voice.number(facts.lowest), voice.number(facts.highest)
    if facts.lowest == facts.highest:
        yield voice.problem("rewards", ALL_ALIKE, n=n, value=low)
    else:
        yield voice.ok("rewards", REWARDS, n=n, low=low, high=high)
    span = campaign.reward_range
    outside = [voice.number(one) for one in (facts.lowest, facts.highest) if not span.low <= one <= span.high]
    if outside:
        declared = f"[{voice.number(span.low)}{voice.writing.between}{voice.number(span.high)}]"
        yield voice.note("rewards", OUTSIDE, values=voice.word(AND).join(outside), declared=declared)


def _of_traffic(campaign: Campaign, facts: Facts, voice: Voice, *, now: datetime) -> Iterator[Finding]:
    """The slot with most variants needs most."""
    most = max(learning_slots(campaign), key=lambda slot: len(campaign.slots[slot].variants))
    variants = len(campaign.slots[most].variants)
    needed = EXAMPLES_A_VARIANT * variants
    if facts.decisions >= needed or facts.first_decision is None:
        return
    parts = {
        "n": voice.count(facts.decisions),
        "needed": voice.count(needed),
        "variants": str(variants),
        "slot": most,
        "each": str(EXAMPLES_A_VARIANT),
    }
    if not facts.decisions_today:
        yield voice.note("traffic", NO_TRAFFIC, **parts)
        return
    # a campaign that is an hour old has had an hour's traffic today, not a day's
    lived = max((now - facts.first_decision) / timedelta(days=1), 1 / 1440)
    rate = facts.decisions_today / min(1.0, lived)
    days = math.ceil((needed - facts.decisions) / rate)
    lasting = voice.word(ONE_DAY if days == 1 else DAYS, n=voice.count(days))
    yield voice.note("traffic", TRAFFIC, rate=voice.count(rate), days=lasting, **parts)
