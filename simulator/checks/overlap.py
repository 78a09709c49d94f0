"""How many rounds speak about the policy, and how many of those were rewarded?"""

from simulator.checks.wording import Voice
from simulator.diagnostics import Diagnostics
from simulator.findings import Finding, Severity

MIN_ESS = 50.0
"""Below this effective sample size an interval means nothing: red."""

MIN_EVENTS = 5.0
"""Below this effective number of rewarded rounds: red."""

WARN_ESS_SHARE = 0.1  # of the rounds
WARN_EVENTS = 30.0

FEW_ROUNDS = {
    "en": (
        "{n} rounds tell as much about it as {ess} rounds of its own would; at least {least} are needed.",
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


def effective_sample(found: Diagnostics, voice: Voice) -> Finding:
    """The effective sample size of the weights."""
    numbers = {"ess": found.ess, "max_weight": found.max_weight, "n": float(found.n)}
    red = found.ess < MIN_ESS
    parts = {
        "n": voice.count(found.n),
        "ess": voice.language.number(found.ess, 2) if red else voice.count(round(found.ess)),
        "least": voice.count(round(MIN_ESS)),
        "most": voice.count(round(found.max_weight)),
    }
    if red:
        return voice.finding("effective_sample", Severity.RED, FEW_ROUNDS, numbers, **parts)
    if found.ess < WARN_ESS_SHARE * found.n:
        return voice.finding("effective_sample", Severity.AMBER, FAR, numbers, **parts)
    return voice.finding("effective_sample", Severity.GREEN, ENOUGH_ROUNDS, numbers, **parts)


def events(found: Diagnostics, voice: Voice) -> Finding:
    """The effective number of rewarded rounds."""
    numbers = {"events": found.events}
    few = found.events < WARN_EVENTS
    parts = {
        "events": f"{found.events:.1f}".replace(".", voice.language.decimal) if few else voice.number(found.events),
        "least": voice.count(round(MIN_EVENTS)),
    }
    if found.events < MIN_EVENTS:
        return voice.finding("events", Severity.RED, NO_EVENTS, numbers, **parts)
    if few:
        return voice.finding("events", Severity.AMBER, FEW_EVENTS, numbers, **parts)
    return voice.finding("events", Severity.GREEN, ENOUGH_EVENTS, numbers, **parts)
