"""What is said of learners that were replayed, in English and Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Templates. by_rejection, sequential, progressive: how a row came about; the same with `mean_of` before: by what
    its value was estimated.
    """

    by_rejection: str
    sequential: str
    progressive: str
    mean_of_rejection: str
    mean_of_sequential: str
    mean_of_progressive: str
    note: str
    passes: str
    of_them: str
    caution: str
    as_asked: str
    uniform: str
    uneven: str
    rare: str
    nothing_own: str
    unseen: str
    few_rounds: str
    few_events: str
    title: str
    until: str
    own: str
    there: str
    so_far: str
    not_known: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        by_rejection="replayed by rejection",
        sequential="replayed doubly robustly",
        progressive="judged progressively",
        mean_of_rejection="mean of its own rounds",
        mean_of_sequential="sequential dr",
        mean_of_progressive="progressive dr",
        note="{how}, {used} of {n} rounds its own{passes}, learning every {every}",
        passes=" (the mean of {passes} passes)",
        of_them="{n} of them",
        caution=(
            "What is replayed holds for the way on which the learner went through these rounds: had other people come "
            "first, it would have learned something else, and its interval does not hold that."
        ),
        as_asked="as asked",
        uniform="every eligible variant was equally probable, in every round",
        uneven="the logged propensities differ, from {least} to {most}",
        rare=(
            "the log's rare choices, of propensity {rare}, would leave a learner about {own} of {n} rounds of its own; "
            "at least {least} are needed"
        ),
        nothing_own="not one round of this log is what the learner would have done",
        unseen="{seen} of what it would do on its way could have been seen in this log; at least {least} is needed",
        few_rounds="the rounds that speak about it count as {used}; at least {least} are needed",
        few_events="the rewarded rounds that speak about it count as {used}; at least {least} are needed",
        title="{policy} as it learned, by {method}: {why}",
        until="tenth until",
        own="its own",
        there="value there",
        so_far="value so far",
        not_known="not known",
    ),
    "es": Words(
        by_rejection="reproducida por rechazo",
        sequential="reproducida con doble robustez",
        progressive="juzgada progresivamente",
        mean_of_rejection="media de sus decisiones",
        mean_of_sequential="dr secuencial",
        mean_of_progressive="dr progresivo",
        note="{how}, {used} de {n} decisiones suyas{passes}, aprende cada {every}",
        passes=" (media de {passes} pasadas)",
        of_them="{n} de ellas",
        caution=(
            "Lo reproducido vale para el camino por el que la política recorrió estas decisiones: si antes hubieran "
            "llegado otras personas, habría aprendido otra cosa, y su intervalo no lo incluye."
        ),
        as_asked="como se pidió",
        uniform="todas las variantes posibles tenían la misma probabilidad, en todas las decisiones",
        uneven="las probabilidades registradas varían, de {least} a {most}",
        rare=(
            "lo que el registro eligió rara vez, con probabilidad {rare}, dejaría a quien aprende unas {own} de {n} "
            "decisiones propias; hacen falta al menos {least}"
        ),
        nothing_own="ninguna decisión de este registro es lo que habría hecho la política",
        unseen="en este registro se pudo ver el {seen} de lo que haría en su camino; hace falta al menos el {least}",
        few_rounds="las decisiones que hablan de ella cuentan como {used}; hacen falta al menos {least}",
        few_events="las decisiones recompensadas que hablan de ella cuentan como {used}; hacen falta al menos {least}",
        title="{policy} mientras aprendía, con {method}: {why}",
        until="décima parte hasta",
        own="propias",
        there="valor ahí",
        so_far="valor hasta ahí",
        not_known="no se sabe",
    ),
}
