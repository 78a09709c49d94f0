"""What an evaluation concludes, in plain sentences: English and Spanish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.evaluation import CONTROL, LOGGED


@dataclass(frozen=True, slots=True)
class Language:
    """Templates, and how numbers are written. `served`, `control`, `treated`: what the logged policy, the control group
    and everybody else are called inside a sentence.
    """

    served: str
    control: str
    treated: str
    by_a_share: str
    more: str
    less: str
    untold: str
    untold_at_all: str
    best: str
    only: str
    tied: str
    tied_but_better: str
    tied_and_not_better: str
    page: str
    not_on_a_page: str
    each_default: str
    as_logged: str
    control_earned: str
    control_too_few: str
    control_one_person: str
    period: str
    trained_on: str
    judged_on: str
    no_times: str
    support_estimated: str
    some_fixed: str
    no_interval: str
    no_model: str
    too_late: str
    never_eligible: str
    decimal: str
    thousands: str

    def name(self, policy: str) -> str:
        return {LOGGED: self.served, CONTROL: self.control}.get(policy) or repr(policy)

    def number(self, value: float, digits: int = 4) -> str:
        """Four significant digits, unless told otherwise."""
        return f"{value:.{digits}g}".replace(".", self.decimal)

    def count(self, value: int) -> str:
        """Two significant digits, in thousands."""
        rounded = int(float(f"{value:.1e}"))
        return f"{rounded:,}".replace(",", self.thousands)

    def whole(self, value: int) -> str:
        """All digits, in thousands."""
        return f"{value:,}".replace(",", self.thousands)

    def share(self, value: float) -> str:
        """A percentage: of two significant digits, whole ones from 10 on."""
        percent = 100.0 * value
        return f"{percent:.0f}".replace("-0", "0") + " %" if abs(percent) >= 10.0 else self.number(percent, 2) + " %"

    def sentence(self, template: str, **parts: str | int) -> str:
        """The template filled in; it begins with a capital letter."""
        text = template.format(**parts)
        return text[0].upper() + text[1:]

    def listed(self, policies: Sequence[str], most: int = 6) -> str:
        return ", ".join(map(repr, policies[:most])) + (", …" if len(policies) > most else "")


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        served="what was served",
        control="the control group",
        treated="everybody else",
        by_a_share="{share}",
        more="{policy} earns {by} more than {against} ({sure}: {low} to {high}).",
        less="{policy} earns {by} less than {against} ({sure}: {low} to {high}).",
        untold=(
            "This log can't tell {policy} from {against} ({sure}: {low} to {high}); "
            "about {needed} more decisions would, if the difference is what it seems."
        ),
        untold_at_all="This log can't tell {policy} from {against} ({sure}: {low} to {high}).",
        best="{policy} earns most: {value}; next is {next} with {second}.",
        only="The log can judge nothing but the logged policy, which earned {value}.",
        tied="The log can't tell which of these {count} earns most: {policies}; highest is {value}.",
        tied_but_better="{policy} does earn more than the logged policy ({logged}).",
        tied_and_not_better="{policy} is not shown to earn more than the logged policy ({logged}).",
        page=(
            "Policies decide the whole page, {slots}: the weight of a round is the product of its slots'. Each slot "
            "alone, the others as logged, is judged below."
        ),
        not_on_a_page=(
            "Not on a page: {estimators}. One slot alone has them: elsewhere they would have to know which variants "
            "could have been chosen after other choices than the logged ones, which no log tells."
        ),
        each_default="each slot's default: {variants}",
        as_logged="for {slots}; as logged: {others}",
        control_earned="what was truly earned by {rounds} decisions; {others} others earned {value}",
        control_too_few="{rounds} decisions of {group} in this period; at least {least} are needed for a lift",
        control_one_person="all {rounds} decisions of {group} in this period are of one person: there are no intervals",
        period="{start} to {end} ({n} rounds)",
        trained_on="Learners named by specification were trained on {period}.",
        judged_on="Every row is judged on the same period: {period}.",
        no_times="This log has no times: the order of its rows stands for the order in time.",
        support_estimated="Only the propensity of what was chosen is known: support is estimated from the weights.",
        some_fixed="Of {variants} variants, the {most} most often eligible stand as fixed policies.",
        no_interval="Left out, since they have no {interval} interval: {estimators}.",
        no_model="Left out, since they need a model of the rewards: {estimators}.",
        too_late="only {left} of {n} rounds are later than what it was trained on; at least {least} are needed",
        never_eligible="{variant} could not be chosen in any round of the judged period",
        decimal=".",
        thousands=",",
    ),
    "es": Language(
        served="lo que se mostró",
        control="el grupo de control",
        treated="todos los demás",
        by_a_share="un {share}",
        more="{policy} gana {by} más que {against} ({sure}: de {low} a {high}).",
        less="{policy} gana {by} menos que {against} ({sure}: de {low} a {high}).",
        untold=(
            "Este registro no permite distinguir {policy} de {against} ({sure}: de {low} a {high}); "
            "harían falta unas {needed} decisiones más, si la diferencia es la que parece."
        ),
        untold_at_all="Este registro no permite distinguir {policy} de {against} ({sure}: de {low} a {high}).",
        best="{policy} es lo que más gana: {value}; le sigue {next} con {second}.",
        only="El registro solo permite juzgar lo que se mostró, que ganó {value}.",
        tied="El registro no permite saber cuál de estas {count} gana más: {policies}; la más alta es {value}.",
        tied_but_better="{policy} sí gana más que lo que se mostró ({logged}).",
        tied_and_not_better="No está demostrado que {policy} gane más que lo que se mostró ({logged}).",
        page=(
            "Las políticas deciden la página entera, {slots}: el peso de cada decisión es el producto de los de sus "
            "partes. Más abajo se juzga cada parte sola, con las demás como se mostraron."
        ),
        not_on_a_page=(
            "No para una página: {estimators}. Una parte sola los tiene: aquí tendrían que saber qué variantes eran "
            "posibles tras otras elecciones que las registradas, y eso no lo dice ningún registro."
        ),
        each_default="lo de siempre en cada parte: {variants}",
        as_logged="para {slots}; como se mostró: {others}",
        control_earned="lo que ganaron de verdad {rounds} decisiones; las otras {others} ganaron {value}",
        control_too_few=(
            "{rounds} decisiones de {group} en este periodo; hacen falta al menos {least} para medir la diferencia"
        ),
        control_one_person=(
            "las {rounds} decisiones de {group} en este periodo son de una sola persona: no hay intervalos"
        ),
        period="de {start} a {end} ({n} decisiones)",
        trained_on="Lo que aprende y se nombró por su especificación se entrenó con otro periodo: {period}.",
        judged_on="Todas las filas se juzgan en el mismo periodo: {period}.",
        no_times="Este registro no tiene tiempos: el orden de sus filas hace de orden en el tiempo.",
        support_estimated="Solo se conoce la probabilidad de lo elegido: el soporte se estima a partir de los pesos.",
        some_fixed="De {variants} variantes, las {most} posibles más a menudo figuran como políticas fijas.",
        no_interval="Se omiten, por no tener intervalo {interval}: {estimators}.",
        no_model="Se omiten, por necesitar un modelo de las recompensas: {estimators}.",
        too_late="solo {left} de {n} decisiones son posteriores a aquellas con que se entrenó; hace falta el {least}",
        never_eligible="{variant} no se pudo elegir en ninguna decisión del periodo juzgado",
        decimal=",",
        thousands=".",
    ),
}
