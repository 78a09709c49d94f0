"""Findings as lines of text, the worst first: what is well takes one line together."""

from collections.abc import Iterable, Iterator, Mapping

from simulator.findings import Finding, Severity

STYLES = {Severity.RED: "red", Severity.AMBER: "yellow", Severity.GREEN: "dim"}
"""For rich."""

GREEN = {"en": "{n} checks are green: {names}.", "es": "{n} comprobaciones en verde: {names}."}

ONE_GREEN = {"en": "One check is green: {names}.", "es": "Una comprobación en verde: {names}."}

UNCHECKED = {"en": "This log does not allow to check: {names}.", "es": "Este registro no permite comprobar: {names}."}

SEVERITIES: Mapping[str, Mapping[Severity, str]] = {
    "en": {severity: severity.value for severity in Severity},
    "es": {Severity.RED: "rojo", Severity.AMBER: "ámbar", Severity.GREEN: "verde"},
}

LOG_CHECKS: Mapping[str, Mapping[str, str]] = {
    "future": {"en": "times", "es": "tiempos"},
    "rewards": {"en": "rewards", "es": "recompensas"},
    "sample_ratio": {"en": "sample ratio", "es": "proporción de la muestra"},
    "calibration": {"en": "calibration of propensities", "es": "calibración de probabilidades"},
    "estimated_propensities": {"en": "estimated propensities", "es": "probabilidades estimadas"},
    "duplicates": {"en": "duplicates", "es": "duplicados"},
    "reward_delay": {"en": "reward delay", "es": "retraso de las recompensas"},
    "reward_drift": {"en": "reward drift", "es": "deriva de las recompensas"},
    "context_drift": {"en": "context drift", "es": "deriva de los contextos"},
}
"""What the checks of a log are called."""

ALWAYS = ("sample_ratio", "calibration", "reward_delay", "reward_drift", "context_drift")
"""Those that every log should allow."""


def lines(findings: Iterable[Finding], *, lang: str = "en") -> Iterator[tuple[Severity, str]]:
    """Of the findings about a log: how bad, and the line. At the end what could not be checked."""
    found = sorted(findings, key=lambda one: one.severity.rank)
    for one in found:
        if one.severity is not Severity.GREEN:
            severity = SEVERITIES[lang][one.severity]
            yield one.severity, f"{severity}, {named(one.check, lang)}: {one.says} {one.do}".strip()
    green = [named(one.check, lang) for one in found if one.severity is Severity.GREEN]
    if green:
        told = ONE_GREEN if len(green) == 1 else GREEN
        yield Severity.GREEN, told[lang].format(n=len(green), names=", ".join(green))
    made = {one.check for one in found}
    unchecked = [named(check, lang) for check in ALWAYS if found and check not in made]
    if unchecked:
        yield Severity.GREEN, UNCHECKED[lang].format(names=", ".join(unchecked))


def named(check: str, lang: str) -> str:
    """The check as people call it."""
    return LOG_CHECKS[check][lang] if check in LOG_CHECKS else check.replace("_", " ")
