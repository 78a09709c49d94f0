"""The demo's last act: policies judged offline from the log, beside what they are truly worth."""

from dataclasses import dataclass

from policies.base import Learner, Policy
from policies.registry import PolicySpec, create
from server.evaluation.log import read_log
from server.store.database import Database
from simulator import Candidate, Estimate, Evaluation, evaluate
from simulator.worlds import World, true_value

LEARNERS = ("auto", "epsilon:epsilon=0.1")


@dataclass(frozen=True, slots=True)
class Judged:
    """One policy: what the log says (doubly robust, 95 %) or why it says nothing, and the truth."""

    name: str
    estimate: Estimate | None
    refusal: str | None
    truth: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.estimate is not None and self.estimate.low <= self.truth <= self.estimate.high


def judge(database: Database, world: World) -> tuple[Evaluation, list[Judged]]:
    """Evaluate uniform, every fixed variant and two learners on the last slot of the world's campaign.

    The learners are trained on the first half of the log and judged on the second, like everything else; on its
    contexts the truth is computed exactly.
    """
    log = read_log(database, world.name, slot=list(world.slots)[-1])
    first, second = log.split(0.5)
    policies: dict[str, Policy] = {"uniform": create(PolicySpec("uniform"), default="", reward_range=log.reward_range)}
    for variant in log.ids:
        spec = PolicySpec("fixed", {"variant": variant})
        policies[str(spec)] = create(spec, default=variant, reward_range=log.reward_range)
    candidates = []
    for name in LEARNERS:
        learner = create(PolicySpec.parse(name), default=log.default or "", reward_range=log.reward_range)
        assert isinstance(learner, Learner)
        learner.learn(first.examples())
        policies[name] = learner
        candidates.append(Candidate(name, learner, judged_after=float(first.times[-1])))
    evaluation = evaluate(log, candidates)
    judged = []
    for name, policy in policies.items():
        row = evaluation.row(name)
        judged.append(Judged(name, evaluation.estimate(row), row.refusal, true_value(world, second, policy)))
    return evaluation, judged
