"""What an evaluation concludes, in plain sentences: English and Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from policies.writing import ENGLISH, SPANISH, Writing


@dataclass(frozen=True, slots=True)
class Language(Writing):
    """Templates. `served`, `control`, `treated`: what the logged policy, the control group and everybody else are
    called inside a sentence. row: a place in a log that has no times; period: a stretch of a log. What a report,
    a replay or a check says beside is in its own room.
    """

    row: str
    period: str
    day: str
    days: str
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
    trained_on: str
    judged_on: str
    no_times: str
    support_estimated: str
    some_fixed: str
    no_interval: str
    no_model: str
    too_late: str
    never_eligible: str
    nothing_differs: str
    one_person: str
    too_few_rounds: str
    one_variant: str
    as_served: str
    slot_alone: str
    eligible_in: str
    the_default: str
    all_alike: str
    learned_from: str
    shared_persons: str
    anytime: str
    anytime_learned: str
    grid_trained: str
    grid_chosen: str
    propensities_estimated: str
    model_saves: str
    model_explains: str
    model_worse: str
    sampled: str
    clustered: str
    clustered_about: str

    def lasting(self, time: timedelta) -> str:
        """As Python writes a time: 1 day, 0:30:00."""
        days, rest = time.days, time - timedelta(days=time.days)
        if not days:
            return str(rest)
        told = (self.day if days == 1 else self.days).format(n=days)
        return f"{told}, {rest}"


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        *ENGLISH,
        served="what was served",
        control="the control group",
        treated="everybody else",
        by_a_share="{share}",
        more="{policy} earns {by} more than {against} ({sure}: {low} to {high}).",
        less="{policy} earns {by} less than {against} ({sure}: {low} to {high}).",
        untold=(
            "This log can't tell {policy} from {against} ({sure}: {low} to {high}); "
            "about {needed} more {needed:decision|decisions} would, if the difference is what it seems."
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
        control_too_few=(
            "{rounds} {rounds:decision|decisions} of {group} in this period; at least {least} are needed for a lift"
        ),
        control_one_person="all {rounds} decisions of {group} in this period are of one person: there are no intervals",
        trained_on="Learners named by specification were trained on {period}.",
        judged_on="Every row is judged on the same period: {period}.",
        no_times="This log has no times: the order of its rows stands for the order in time.",
        support_estimated="Only the propensity of what was chosen is known: support is estimated from the weights.",
        some_fixed="Of {variants} variants, the {most} most often eligible stand as fixed policies.",
        no_interval="Left out, since they have no {interval} interval: {estimators}.",
        no_model="Left out, since they need a model of the rewards: {estimators}.",
        too_late=(
            "only {left} of {n} rounds {left:is|are} later than what it was trained on; at least {least} are needed"
        ),
        never_eligible="{variant} could not be chosen in any round of the judged period",
        nothing_differs=(
            "all {n} rounds of log {log} in this period have the reward {reward}: no policy can be told from another; "
            "wait for rewards, or check that they arrive"
        ),
        one_person="all {n} rounds of log {log} are of one person: there are no intervals",
        too_few_rounds="too few rounds: {n}; at least {least} are needed",
        one_variant="it never had more than one variant to choose from ({variants}): there is nothing to compare",
        as_served="{policy}, as served",
        slot_alone="slot {slot} alone: {why}",
        eligible_in="eligible in {share} of the rounds; elsewhere {where}",
        the_default="the default {default}",
        all_alike="all variants alike",
        learned_from="it may have learned from {n} of the rounds that judge it, from {start} to {end}",
        shared_persons=(
            "Of the {persons} persons who judge, {known} {known:was|were} learned from as well, in earlier decisions: "
            "what is told holds for such a mix of known and new persons."
        ),
        anytime="These intervals hold at every look at the growing log together, for rounds in the order of time.",
        anytime_learned=(
            "Learners were trained on a part of the log that grows with it: of them these intervals hold at this look "
            "alone; judge a snapshot to look again."
        ),
        grid_trained="The {count} combinations of the grid were trained on {period}.",
        grid_chosen="{chosen} was chosen on {period}, and is judged on what is later.",
        propensities_estimated=(
            "The propensities of this log are estimated from its contexts, not known: every number here assumes that "
            "nothing outside the context moved both what was shown and the reward (no hidden confounding). None is "
            "believed below {limit}; {at_limit} of {n} {at_limit:stands|stand} at that limit."
        ),
        model_saves=(
            "On people it was not fitted on, the model of the rewards saves {share} of the log loss of the mean reward."
        ),
        model_explains=(
            "On people it was not fitted on, the model of the rewards explains {share} of the variance of the rewards "
            "(R²)."
        ),
        model_worse=(
            "On people it was not fitted on, the model of the rewards predicts no better than their mean: DM is not to "
            "be trusted, and DR gains nothing by it."
        ),
        sampled=(
            "This log was read in pieces. The model of the rewards was fitted, and the log as a whole was checked, on "
            "a sample of its persons with {sample} of the {n} rounds."
        ),
        clustered="Intervals are clustered: {persons} persons in {clusters} clusters, each person in one.",
        clustered_about="Intervals are clustered: about {persons} persons in {clusters} clusters, each person in one.",
        row="row {n}",
        period="{start} to {end} ({n} {n:round|rounds})",
        day="1 day",
        days="{n} days",
    ),
    "es": Language(
        *SPANISH,
        served="lo que se mostró",
        control="el grupo de control",
        treated="todos los demás",
        by_a_share="un {share}",
        more="{policy} gana {by} más que {against} ({sure}: de {low} a {high}).",
        less="{policy} gana {by} menos que {against} ({sure}: de {low} a {high}).",
        untold=(
            "Este registro no permite distinguir entre {policy} y {against} ({sure}: de {low} a {high}); "
            "harían falta unas {needed} decisiones más, si la diferencia es la que parece."
        ),
        untold_at_all="Este registro no permite distinguir entre {policy} y {against} ({sure}: de {low} a {high}).",
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
            "{group}: {rounds} {rounds:decisión|decisiones} en este periodo; hacen falta al menos {least} para medir "
            "la diferencia"
        ),
        control_one_person=(
            "{group}: las {rounds} decisiones de este periodo son de una sola persona: no hay intervalos"
        ),
        trained_on="Lo que aprende y se nombró por su especificación se entrenó con otro periodo: {period}.",
        judged_on="Todas las filas se juzgan en el mismo periodo: {period}.",
        no_times="Este registro no tiene tiempos: el orden de sus filas hace de orden en el tiempo.",
        support_estimated="Solo se conoce la probabilidad de lo elegido: el soporte se estima a partir de los pesos.",
        some_fixed="De {variants} variantes, las {most} posibles más a menudo figuran como políticas fijas.",
        no_interval="Se omiten, por no tener intervalo {interval}: {estimators}.",
        no_model="Se omiten, por necesitar un modelo de las recompensas: {estimators}.",
        too_late=(
            "solo {left} de {n} decisiones {left:es posterior|son posteriores} a aquellas con que se entrenó; hace "
            "falta el {least}"
        ),
        never_eligible="{variant} no se pudo elegir en ninguna decisión del periodo juzgado",
        nothing_differs=(
            "las {n} decisiones del registro {log} en este periodo tienen todas la recompensa {reward}: no se puede "
            "distinguir una política de otra; espere a que haya recompensas, o compruebe que llegan"
        ),
        one_person="las {n} decisiones del registro {log} son de una sola persona: no hay intervalos",
        too_few_rounds="pocas decisiones: {n}; hacen falta al menos {least}",
        one_variant="nunca tuvo más de una variante entre las que elegir ({variants}): no hay nada que comparar",
        as_served="{policy}, como se sirvió",
        slot_alone="la parte {slot} sola: {why}",
        eligible_in="posible en el {share} de las decisiones; en las demás, {where}",
        the_default="la de por defecto, {default}",
        all_alike="todas las variantes por igual",
        learned_from=("puede haber aprendido de {n} de las decisiones con las que se la juzga, de {start} a {end}"),
        shared_persons=(
            "De las {persons} personas con las que se juzga, de {known} ya se había aprendido, en decisiones "
            "anteriores: lo dicho vale para una mezcla así de personas conocidas y nuevas."
        ),
        anytime=(
            "Estos intervalos valen para todas las veces que se mire el registro mientras crece, con las decisiones en "
            "el orden del tiempo."
        ),
        anytime_learned=(
            "Lo que aprende se entrenó con una parte del registro que crece con él: ahí estos intervalos solo valen "
            "para esta vez; para volver a mirar, juzgue un snapshot."
        ),
        grid_trained="Las {count} combinaciones de la rejilla se entrenaron con otro periodo: {period}.",
        grid_chosen="{chosen} se eligió en otro periodo, {period}, y se juzga con lo posterior.",
        propensities_estimated=(
            "Las probabilidades de este registro no se conocen: se estiman a partir de los contextos. Todas las cifras "
            "suponen que nada fuera del contexto influyó a la vez en lo que se mostró y en la recompensa (que no hay "
            "variables de confusión ocultas). Ninguna se cree menor que {limit}; {at_limit} de {n} "
            "{at_limit:está|están} en ese límite."
        ),
        model_saves=(
            "Con personas que no usó para ajustarse, el modelo de las recompensas ahorra un {share} de la pérdida "
            "logarítmica de la recompensa media."
        ),
        model_explains=(
            "Con personas que no usó para ajustarse, el modelo de las recompensas explica un {share} de su varianza "
            "(R²)."
        ),
        model_worse=(
            "Con personas que no usó para ajustarse, el modelo de las recompensas no predice mejor que su media: no "
            "hay que fiarse de DM, y DR no gana nada con él."
        ),
        sampled=(
            "Este registro se leyó por partes. El modelo de las recompensas se ajustó, y el registro se comprobó en su "
            "conjunto, con una muestra de sus personas que tiene {sample} de las {n} decisiones."
        ),
        clustered=(
            "Los intervalos tratan a las personas por grupos: {persons} personas en {clusters} grupos, cada una en uno."
        ),
        clustered_about=(
            "Los intervalos tratan a las personas por grupos: unas {persons} personas en {clusters} grupos, cada una "
            "en uno."
        ),
        row="fila {n}",
        period="de {start} a {end} ({n} {n:decisión|decisiones})",
        day="1 día",
        days="{n} días",
    ),
}
