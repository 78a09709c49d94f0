"""What reports and their figures say around the numbers, in English and Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.evaluation import Evaluation, View
from simulator.rows import CONTROL, LOGGED


@dataclass(frozen=True, slots=True)
class Words:
    """Templates. `logged`, `control`: what these rows are called; all other policies keep their names."""

    logged: str
    control: str
    policy: str
    interval: str
    against: str
    ess: str
    support: str
    truth: str
    holds: str
    regret: str
    yes: str
    no: str
    refused: str
    refused_why: str
    forced: str
    rounds: str
    group: str
    grid: str
    every: str
    slot: str
    metric: str
    groups_note: str
    none_judged: str
    row_refused: str
    more_refused: str
    to_do: str
    held: str
    made_by: str
    mean: str
    reward: str
    made: str
    values_title: str
    values_axis: str
    tails_title: str
    tails_weight: str
    tails_share: str
    tails_hover: str
    calibration_title: str
    calibration_said: str
    calibration_seen: str
    calibration_sound: str
    calibration_log: str
    calibration_hover: str
    groups_title: str
    gain: str
    mean_reward: str
    time_title: str
    learning_title: str
    learning_axis: str

    def shown(self, policy: str) -> str:
        """The name of a row as people read it."""
        return {LOGGED: self.logged, CONTROL: self.control}.get(policy, policy)

    def differ_in(self, view: View) -> str:
        """What the groups of a view differ in."""
        if view.kind == "time":
            return self.every.format(length=view.key)
        return view.key or {"slot": self.slot, "metric": self.metric}[view.kind]


WORDS: Mapping[str, Words] = {
    "en": Words(
        logged="logged",
        control="control",
        policy="policy",
        interval="{share} interval",
        against="against logged",
        ess="ESS",
        support="support",
        truth="truth",
        holds="interval holds it",
        regret="regret",
        yes="yes",
        no="no",
        refused="refused",
        refused_why="refused: {why}",
        forced="{name} (forced)",
        rounds="rounds",
        group="{by}: {name} ({n} {n:round|rounds})",
        grid="the grid, on the rounds that chose {chosen}: {period}",
        every="every {length}",
        slot="slot",
        metric="metric",
        groups_note=(
            "Each group is judged by itself: of many, some differ by chance. The JSON form says why a row is refused."
        ),
        none_judged="No policy can be judged while a check is red. To see numbers all the same: --force.",
        row_refused="{name}: refused, {why}.",
        more_refused="{n} more fixed variants are refused for such reasons; the JSON form has each.",
        to_do="What to do ({names}): {do}",
        held="{held} of {known} intervals {held:holds|hold} the truth.",
        made_by="{estimator}, {interval} {share} interval",
        mean="mean",
        reward="reward {formula}",
        made="What made these numbers",
        values_title="What each policy would have earned: {slot}",
        values_axis="mean reward, {estimator}, {share} interval",
        tails_title="How much hangs on few rounds",
        tails_weight="weight of a round",
        tails_share="share of rounds with at least that weight",
        tails_hover="%{y:.3%} of the rounds weigh %{x:.3g} or more",
        calibration_title="Do the logged probabilities hold?",
        calibration_said="probability that was logged",
        calibration_seen="share that was chosen",
        calibration_sound="95 % of sound logs",
        calibration_log="this log",
        calibration_hover="said %{x:.3f}, seen %{y:.3f} of %{customdata:,} choices",
        groups_title="More than was served, by {by} ({estimator})",
        gain="gain",
        mean_reward="mean reward, {estimator}",
        time_title="Over time, {length} at a time",
        learning_title="What they earned while they learned",
        learning_axis="mean reward so far, of its own rounds",
    ),
    "es": Words(
        logged="lo mostrado",
        control="grupo de control",
        policy="política",
        interval="intervalo del {share}",
        against="frente a lo mostrado",
        ess="ESS",
        support="soporte",
        truth="verdad",
        holds="dentro del intervalo",
        regret="arrepentimiento",
        yes="sí",
        no="no",
        refused="rechazada",
        refused_why="rechazado: {why}",
        forced="{name} (forzada)",
        rounds="decisiones",
        group="{by}: {name} ({n} {n:decisión|decisiones})",
        grid="la rejilla, en las decisiones con las que se eligió {chosen}: {period}",
        every="cada {length}",
        slot="parte",
        metric="métrica",
        groups_note=(
            "Cada grupo se juzga por separado: entre muchos, algunos difieren por azar. El formato JSON dice por qué "
            "se rechaza una fila."
        ),
        none_judged="No se juzga ninguna política mientras algo esté en rojo. Para ver las cifras igualmente: --force.",
        row_refused="{name}: rechazada, {why}.",
        more_refused=("Variantes fijas rechazadas por motivos parecidos: {n} más; el formato JSON da el de cada una."),
        to_do="Qué hacer ({names}): {do}",
        held="{held} de {known} intervalos {held:contiene|contienen} la verdad.",
        made_by="{estimator}, intervalo {interval} del {share}",
        mean="media",
        reward="recompensa {formula}",
        made="De dónde salen estas cifras",
        values_title="Lo que habría ganado cada política: {slot}",
        values_axis="recompensa media, {estimator}, intervalo del {share}",
        tails_title="Cuánto depende de pocas decisiones",
        tails_weight="peso de una decisión",
        tails_share="decisiones con ese peso o más",
        tails_hover="el %{y:.3%} de las decisiones pesa %{x:.3g} o más",
        calibration_title="¿Se cumplen las probabilidades registradas?",
        calibration_said="probabilidad registrada",
        calibration_seen="proporción elegida",
        calibration_sound="95 % de los registros correctos",
        calibration_log="este registro",
        calibration_hover="dicho %{x:.3f}, visto %{y:.3f} de %{customdata:,} elecciones",
        groups_title="Ganancia frente a lo mostrado, por {by} ({estimator})",
        gain="ganancia",
        mean_reward="recompensa media, {estimator}",
        time_title="En el tiempo, por tramos de {length}",
        learning_title="Lo que ganaron mientras aprendían",
        learning_axis="media hasta ahí, en sus decisiones",
    ),
}


PLOTLY: Mapping[str, Mapping[str, str]] = {
    "en": {"Download plot as a PNG": "Download plot as a PNG", "Snapshot succeeded": "Snapshot succeeded"},
    "es": {"Download plot as a PNG": "Descargar el gráfico como PNG", "Snapshot succeeded": "Imagen guardada"},
}
"""What plotly itself says, by what it says in English."""


def words_of(evaluation: Evaluation) -> Words:
    """In the language of its sentences."""
    return WORDS[evaluation.lang]
