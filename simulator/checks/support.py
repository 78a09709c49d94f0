"""Could the log have shown what the policy would do?"""

from simulator.checks.wording import Voice, rounded_down
from simulator.diagnostics import WHOLE, Diagnostics
from simulator.findings import Finding, Severity

MIN_SUPPORT = 0.95
"""Below this share of the policy's probability on choices the log could have shown: red."""

SUPPORT_ERRORS = 3.0
"""Standard errors of doubt that an estimated support is given before it is red."""

NEVER = {
    "en": (
        "None of the {n} logged choices is one that this policy would ever make.",
        "Judge it once the log holds such choices: give them a share of the traffic.",
    ),
    "es": (
        "Ninguna de las {n} decisiones registradas es una que esta política tomaría.",
        "Júzguela cuando el registro tenga decisiones así: deles una parte del tráfico.",
    ),
}
RED = {
    "en": (
        "{about}{support} of what it would do could have been seen in this log, at least {least} is needed; "
        "its value lies between {low} and {high}.",
        "Give the variants it would show a share of the traffic, with a larger explore share.",
    ),
    "es": (
        "En este registro se pudo ver {about}el {support} de lo que haría, y hace falta al menos el {least}; "
        "su valor está entre {low} y {high}.",
        "Dé a las variantes que mostraría una parte del tráfico, con más exploración.",
    ),
}
AMBER = {
    "en": (
        "{missing} of what it would do was never possible in this log; its value lies between {low} and {high}.",
        "Read the estimate as if that part earned what the model, or the rest, earns.",
    ),
    "es": (
        "El {missing} de lo que haría nunca fue posible en este registro; su valor está entre {low} y {high}.",
        "Lea la estimación como si esa parte ganara lo que dice el modelo, o lo que gana el resto.",
    ),
}
DOUBTFUL = {
    "en": (
        "About {support} of what it would do could have been seen in this log, by the weights; its value lies between "
        "{low} and {high}.",
        "Log the probabilities of all variants, so that support is known and not estimated.",
    ),
    "es": (
        "En este registro se pudo ver aproximadamente el {support} de lo que haría, según los pesos; su valor está "
        "entre {low} y {high}.",
        "Registre las probabilidades de todas las variantes, para conocer el soporte y no estimarlo.",
    ),
}
GREEN = {
    "en": ("{about}{support} of what it would do could have been seen in this log.", ""),
    "es": ("En este registro se pudo ver {about}el {support} de lo que haría.", ""),
}
ABOUT = {"en": "about ", "es": "aproximadamente "}


def support(found: Diagnostics, voice: Voice) -> Finding:
    """With the bounds that missing support leaves, see `Diagnostics`."""
    numbers = {"support": found.support}
    if found.bounds is not None:
        numbers |= {"low": found.bounds[0], "high": found.bounds[1]}
    if found.ess == 0.0:
        return voice.finding("support", Severity.RED, NEVER, numbers, n=voice.count(found.n))
    low, high = (voice.number(limit) for limit in found.bounds or (0.0, 0.0))
    parts = {
        "about": "" if found.support_exact else ABOUT[voice.lang],
        "support": voice.percent(found.support),
        "missing": voice.percent(1.0 - found.support),
        "least": voice.percent(MIN_SUPPORT, 0),
        "low": low,
        "high": high,
    }
    doubt = 0.0 if found.support_exact else SUPPORT_ERRORS * found.mean_weight_error
    if (found.support if found.support_exact else found.mean_weight) + doubt < MIN_SUPPORT - WHOLE:
        parts["support"] = voice.percent(rounded_down(100.0 * found.support) / 100.0)
        return voice.finding("support", Severity.RED, RED, numbers, **parts)
    if found.support_exact and found.support < 1.0 - WHOLE:
        return voice.finding("support", Severity.AMBER, AMBER, numbers, **parts)
    if not found.support_exact and found.support < MIN_SUPPORT:
        return voice.finding("support", Severity.AMBER, DOUBTFUL, numbers, **parts)
    return voice.finding("support", Severity.GREEN, GREEN, numbers, **parts)
