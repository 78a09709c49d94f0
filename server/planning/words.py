"""What a plan says, in English and Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from simulator import LANGUAGES
from simulator.sentences import Language


@dataclass(frozen=True, slots=True)
class Words:
    """Templates of the summary, and of where a number came from."""

    enough: str
    too_few: str
    split: str
    gain: str
    longer: str
    hours: str
    days: str
    ages: str
    given: str
    recent_decisions: str
    recent_defaults: str
    recent_all: str
    of_zero_and_one: str
    tenth: str
    campaign: str
    persons: str
    unknown_persons: str
    run: str
    stands_for: str
    even_split: str
    most_variants: str
    first_other: str
    compared: str
    no_context: str
    no_key: str
    candidate: str
    after: str
    decisions: str
    chance: str
    gained: str
    least: str
    most: str
    assumed: str
    source: str
    names: Mapping[str, str]
    """What assumptions are called, by their keys."""

    def lasting(self, time: timedelta, language: Language) -> str:
        """Hours up to two days, then days, rounded up; of what nobody waits for, that it is long."""
        if time > timedelta(days=3_653):
            return self.ages
        if time <= timedelta(days=2):
            return self.hours.format(n=language.count(max(1, ceil(time / timedelta(hours=1)))))
        return self.days.format(n=f"{ceil(time / timedelta(days=1)):,}".replace(",", language.thousands))


NAMES = {
    "decisions_per_day": "decisiones al día",
    "mean_reward": "recompensa media",
    "reward_deviation": "desviación de la recompensa",
    "difference": "diferencia",
    "slot": "parte",
    "variants": "variantes",
    "better_variant": "variante mejor",
    "reward_window": "ventana de la recompensa",
    "variance_by_persons": "varianza por personas",
    "policy": "política",
    "explore": "exploración",
    "level": "nivel de confianza",
    "power": "potencia",
    "comparisons": "comparaciones",
    "even_split": "reparto igual",
    "context": "contexto",
}

WORDS: Mapping[str, Words] = {
    "en": Words(
        enough=(
            "Your traffic suffices: with {policy}, the log tells a difference of {difference} a decision with a chance "
            "of {power} after about {needed} decisions, {time}."
        ),
        too_few=(
            "Your traffic does not suffice: with {policy}, the log tells a difference of {difference} a decision with "
            "a chance of {found} after {horizon}, and {power} were asked for."
        ),
        split="An even split among the {variants} variants would take about {needed} decisions, {time}.",
        gain="Within {horizon} it earns about {gain} more than the default; an even split, {even}.",
        longer="What learns shows the worse variants seldom: it earns more, and proves it later, or with more explore.",
        hours="{n} {n:hour|hours}",
        days="{n} days",
        ages="more than ten years",
        given="as asked",
        recent_decisions="the last 28 days, or as many as there are",
        recent_defaults="the newest {n} rewards of the last 28 days, those of the defaults, each by its propensity",
        recent_all="the newest {n} rewards of the last 28 days, of all variants: the defaults were shown too seldom",
        of_zero_and_one="rewards are 0 or 1",
        tenth="a tenth of the mean reward",
        campaign="the campaign",
        persons="the variance of the mean reward by persons, as a multiple of that by visits",
        unknown_persons="no rewards yet: every visit taken to be somebody else's",
        run="in the simulation as it goes in {runs} runs of {decisions} decisions",
        stands_for="in the simulation {stand_in} plays its part",
        even_split="closed form, two samples",
        most_variants="the slot with the most variants; the others are part of the noise",
        first_other="taken for the better one: the first beside the default",
        compared="one variant is better, and any of them might be: each is compared with the default (Bonferroni)",
        no_context="the same variant is best for everybody; what a policy earns by looking at the context comes on top",
        no_key="none",
        candidate="candidate {n}",
        after="days",
        decisions="decisions",
        chance="chance to find it",
        gained="gain",
        least="from",
        most="to",
        assumed="assumed",
        source="from",
        names={name: name for name in NAMES},
    ),
    "es": Words(
        enough=(
            "El tráfico basta: con {policy}, el registro muestra una diferencia de {difference} por decisión con una "
            "probabilidad del {power} tras unas {needed} decisiones, {time}."
        ),
        too_few=(
            "El tráfico no basta: con {policy}, el registro muestra una diferencia de {difference} por decisión con "
            "una probabilidad del {found} tras {horizon}, y se pedía el {power}."
        ),
        split="Un reparto igual entre las {variants} variantes necesitaría unas {needed} decisiones, {time}.",
        gain="En {horizon} gana unas {gain} unidades más que lo de por defecto; un reparto igual, {even}.",
        longer=(
            "Lo que aprende muestra poco las variantes peores: gana más, y lo demuestra más tarde, o con más "
            "exploración."
        ),
        hours="{n} {n:hora|horas}",
        days="{n} días",
        ages="más de diez años",
        given="lo pedido",
        recent_decisions="los últimos 28 días, o los que haya",
        recent_defaults=(
            "las {n} recompensas más nuevas de los últimos 28 días, las de los valores por defecto, cada una según su "
            "probabilidad"
        ),
        recent_all=(
            "las {n} recompensas más nuevas de los últimos 28 días, de todas las variantes: las de por defecto se "
            "mostraron demasiado poco"
        ),
        of_zero_and_one="las recompensas son 0 o 1",
        tenth="una décima parte de la recompensa media",
        campaign="la campaña",
        persons="la varianza de la recompensa media por personas, como múltiplo de la que hay por visitas",
        unknown_persons="aún no hay recompensas: cada visita se toma por la de otra persona",
        run="en la simulación, como va en {runs} pruebas de {decisions} decisiones",
        stands_for="en la simulación hace su papel {stand_in}",
        even_split="fórmula cerrada, dos muestras",
        most_variants="la parte con más variantes; las demás cuentan como ruido",
        first_other="se toma por la mejor: la primera que no es la de por defecto",
        compared=(
            "una variante es mejor, y podría ser cualquiera: cada una se compara con la de por defecto (Bonferroni)"
        ),
        no_context=(
            "la misma variante es la mejor para todos; lo que una política gane mirando el contexto viene encima"
        ),
        no_key="ninguno",
        candidate="candidata {n}",
        after="días",
        decisions="decisiones",
        chance="probabilidad de verla",
        gained="ganancia",
        least="desde",
        most="hasta",
        assumed="se supone",
        source="según",
        names=NAMES,
    ),
}


def language_of(name: str) -> tuple[Language, Words]:
    """How numbers are written, and what is said."""
    return LANGUAGES[name], WORDS[name]
