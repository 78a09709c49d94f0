"""How many rounds speak about the policy, how many of those were rewarded, and of how many people are they?"""

from simulator.checks.wording import Voice, rounded_down
from simulator.diagnostics import WHOLE, Diagnostics
from simulator.findings import Finding, Severity

MIN_ESS = 50.0
"""Below this effective sample size an interval means nothing: red."""

MIN_EVENTS = 5.0
"""Below this effective number of rewarded rounds: red."""

WARN_ESS_SHARE = 0.1  # of the rounds
WARN_EVENTS = 30.0
WARN_PEOPLE = 20.0
"""Of 10 whose visits all say the same, an interval covers far less than it claims; of 20, nearly as much."""

FEW_ROUNDS = {
    "en": (
        "{n} rounds tell as much about it as {ess} {ess:round|rounds} of its own would; at least {least} are needed.",
        "Gather more decisions, explore more, or judge a policy that is nearer to the logged one.",
    ),
    "es": (
        "{n} decisiones dicen de ella tanto como dirían {ess} suyas; hacen falta al menos {least}.",
        "Reúna más decisiones, explore más, o juzgue una política más parecida a la registrada.",
    ),
}
FAR = {
    "en": (
        "The log was gathered by a very different policy: {n} rounds count as {ess}, one of them as {most}.",
        "Explore more if policies like this one are to be judged often.",
    ),
    "es": (
        "El registro viene de una política muy distinta: {n} decisiones cuentan como {ess}, una de ellas como {most}.",
        "Explore más si quiere juzgar a menudo políticas como esta.",
    ),
}
ENOUGH_ROUNDS = {
    "en": ("{n} rounds count as {ess} of its own.", ""),
    "es": ("{n} decisiones cuentan como {ess} suyas.", ""),
}
NO_EVENTS = {
    "en": (
        "The rewarded rounds that speak about it count as {events}; at least {least} are needed.",
        "Wait for more rewards, or judge by an outcome that happens more often.",
    ),
    "es": (
        "Las decisiones recompensadas que hablan de ella cuentan como {events}; hacen falta al menos {least}.",
        "Espere más recompensas, o juzgue por un resultado que ocurra más a menudo.",
    ),
}
FEW_EVENTS = {
    "en": (
        "Few rewarded rounds speak about it (they count as {events}): the interval is rough.",
        "Wait for more rewards before you decide on a small difference.",
    ),
    "es": (
        "Pocas decisiones recompensadas hablan de ella (cuentan como {events}): el intervalo es aproximado.",
        "Espere más recompensas antes de decidir por una diferencia pequeña.",
    ),
}
ENOUGH_EVENTS = {
    "en": ("The rewarded rounds that speak about it count as {events}.", ""),
    "es": ("Las decisiones recompensadas que hablan de ella cuentan como {events}.", ""),
}
FEW_PEOPLE = {
    "en": (
        "Few people speak about it (they count as {people}): the interval may be too narrow.",
        "Wait until more people have been shown what it would show.",
    ),
    "es": (
        "Pocas personas hablan de ella (cuentan como {people}): el intervalo puede ser demasiado estrecho.",
        "Espere a que se haya mostrado a más personas lo que ella mostraría.",
    ),
}
ENOUGH_PEOPLE = {
    "en": ("The people who speak about it count as {people}.", ""),
    "es": ("Las personas que hablan de ella cuentan como {people}.", ""),
}


def effective_sample(found: Diagnostics, voice: Voice) -> Finding:
    """The effective sample size of the weights."""
    numbers = {"ess": found.ess, "max_weight": found.max_weight, "n": float(found.n)}
    red = found.ess < MIN_ESS - WHOLE
    parts = {
        "n": voice.count(found.n),
        "ess": voice.language.number(rounded_down(found.ess), 3) if red else voice.count(round(found.ess)),
        "least": voice.count(round(MIN_ESS)),
        "most": voice.count(round(found.max_weight)),
    }
    if red:
        return voice.finding("effective_sample", Severity.RED, FEW_ROUNDS, numbers, **parts)
    if found.ess < WARN_ESS_SHARE * found.n - WHOLE:
        return voice.finding("effective_sample", Severity.AMBER, FAR, numbers, **parts)
    return voice.finding("effective_sample", Severity.GREEN, ENOUGH_ROUNDS, numbers, **parts)


def events(found: Diagnostics, voice: Voice) -> Finding:
    """The effective number of rewarded rounds."""
    numbers = {"events": found.events}
    few = found.events < WARN_EVENTS - WHOLE
    shown = f"{rounded_down(found.events):.1f}".replace(".", voice.language.decimal)
    parts = {
        "events": shown if few else voice.number(found.events),
        "least": voice.count(round(MIN_EVENTS)),
    }
    if found.events < MIN_EVENTS - WHOLE:
        return voice.finding("events", Severity.RED, NO_EVENTS, numbers, **parts)
    if few:
        return voice.finding("events", Severity.AMBER, FEW_EVENTS, numbers, **parts)
    return voice.finding("events", Severity.GREEN, ENOUGH_EVENTS, numbers, **parts)


def people(found: Diagnostics, voice: Voice) -> Finding:
    """The effective number of persons. Never red: the value is right, and where a whole log is of few, so is its
    interval.
    """
    numbers = {"people": found.people}
    if found.people < WARN_PEOPLE - WHOLE:
        told = voice.language.number(rounded_down(found.people))
        return voice.finding("people", Severity.AMBER, FEW_PEOPLE, numbers, people=told)
    return voice.finding("people", Severity.GREEN, ENOUGH_PEOPLE, numbers, people=voice.count(round(found.people)))
