"""What a log says of itself: repeated rounds, propensities that were estimated, times that have not been yet."""

from simulator.checks.wording import Voice
from simulator.findings import Finding, Severity
from simulator.logs.log import Log, when

REPEATED = {
    "en": (
        "{found} of {n} rounds ({share}) {found:repeats|repeat} another one.",
        "Write each decision once, under its id: what is repeated counts twice, and narrows every interval.",
    ),
    "es": (
        "{found} de {n} decisiones ({share}) {found:repite|repiten} otra.",
        "Escriba cada decisión una vez, con su identificador: lo repetido cuenta doble y estrecha los intervalos.",
    ),
}
ONCE = {"en": ("No round repeats another one.", ""), "es": ("Ninguna decisión repite otra.", "")}
ESTIMATED = {
    "en": (
        "The propensities were estimated from the choices, since the log has none.",
        "Believe the differences only as far as the contexts hold all that the choices depended on; log propensities.",
    ),
    "es": (
        "Las probabilidades se estimaron a partir de las decisiones, porque el registro no las tiene.",
        "Créalas solo si los contextos recogen todo lo que influyó en la decisión; registre probabilidades.",
    ),
}
FUTURE = {
    "en": (
        "{found} of {n} rounds {found:is|are} later than now; {found:it|the last} is of {last}.",
        "Check the time zone and the unit of the log's times: seconds since 1970 in UTC, or ISO 8601 with an offset.",
    ),
    "es": (
        "{found} de {n} decisiones {found:es posterior|son posteriores} a ahora; {found:es|la última es} de {last}.",
        "Compruebe la zona y la unidad de los tiempos: segundos desde 1970 en UTC, o ISO 8601 con su diferencia.",
    ),
}


def duplicates(log: Log, voice: Voice) -> Finding:
    """Amber where there are any."""
    numbers = {"duplicates": float(log.duplicates)}
    if not log.duplicates:
        return voice.finding("duplicates", Severity.GREEN, ONCE, numbers)
    parts = {"found": voice.count(log.duplicates), "n": voice.count(len(log))}
    share = voice.percent(log.duplicates / len(log), 2)
    return voice.finding("duplicates", Severity.AMBER, REPEATED, numbers, share=share, **parts)


def estimated_propensities(log: Log, voice: Voice) -> Finding | None:
    """Amber where they were."""
    if not log.propensities_estimated:
        return None
    return voice.finding("estimated_propensities", Severity.AMBER, ESTIMATED)


def future(log: Log, voice: Voice) -> Finding | None:
    """Red where there is any: then no time of the log can be trusted, nor what is earlier and what later."""
    if not log.future:
        return None
    parts = {"found": voice.count(log.future), "n": voice.count(len(log))}
    last = when(float(log.times[-1]), timed=log.timed)
    return voice.finding("future", Severity.RED, FUTURE, {"future": float(log.future)}, last=last, **parts)
