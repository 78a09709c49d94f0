"""Deciding without gRPC and without the log: what the policy costs, and what is added to it on the way to a reply.

python -m bench decide
"""

from datetime import UTC, datetime
from itertools import cycle

import numpy as np

from bench import campaign
from bench.figures import Figures
from bench.harness import compare, one_after_another
from bench.registry import Benchmark
from elige.v1.decisions_pb2 import DecideRequest
from policies.base import Learner, uniform
from policies.types import TrainingExample
from server.campaigns.catalogue import Served, serve
from server.campaigns.file import load_campaigns
from server.decide import decide
from server.ids import RANDOM
from server.records import State
from server.rpc import wire
from server.store.campaigns import StoredCampaign

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET, ENTROPY = bytes(32), bytes(RANDOM)
PEOPLE = 500
TRAINING = 400


def measure(*, rounds: int, seconds: float) -> Figures:
    """One call at a time, in one thread."""
    served = trained()
    slot = served.slots[campaign.SLOT]
    actions = tuple(slot.actions.values())
    sent = [one.SerializeToString() for one in campaign.requests(PEOPLE, seed=1)]
    asked = [wire.read_decide(DecideRequest.FromString(one)) for one in sent]
    next_asked, next_sent = cycle(asked).__next__, cycle(sent).__next__

    def policy() -> object:
        return slot.policy.pmf(next_asked().context, actions)

    def decided() -> object:
        return decide(served, next_asked(), secret=SECRET, now=NOW, random=ENTROPY)

    def answered() -> object:
        request = wire.read_decide(DecideRequest.FromString(next_sent()))
        decision = decide(served, request, secret=SECRET, now=NOW, random=ENTROPY)
        return wire.write_decision(decision).SerializeToString()

    sides = {
        "policy alone": one_after_another(policy),
        "decide": one_after_another(decided),
        "bytes to bytes": one_after_another(answered),
    }
    found = compare(sides, baseline="policy alone", rounds=rounds, seconds_per_round=seconds)
    return found.figures(
        f"decide: no gRPC, no log, {len(actions)} variants, squarecb, {rounds} rounds of {seconds:g} s a side"
    )


def trained() -> Served:
    """The campaign of the benchmarks as a server holds it, its learner trained on uniform draws."""
    (parsed,) = load_campaigns(campaign.SOURCE, file_name="campaign.py")
    stored = StoredCampaign(
        campaign=campaign.NAME,
        version=1,
        number=1,
        state=State.ACTIVE.value,
        document=parsed.document(),
        source=campaign.SOURCE,
        created_at=NOW,
    )
    served = serve(stored, None)
    slot = served.slots[campaign.SLOT]
    actions = tuple(slot.actions.values())
    rng = np.random.default_rng(2)
    visitors = campaign.contexts(rng)
    examples = []
    for context, chosen in zip(visitors, rng.integers(len(actions), size=TRAINING), strict=False):
        clicked = rng.random() < campaign.click_share(context, actions[chosen].id)
        examples.append(TrainingExample(context, actions, uniform(len(actions)), int(chosen), float(clicked)))
    assert isinstance(slot.policy, Learner)  # the campaign says squarecb
    slot.policy.learn(examples)
    return served


BENCHMARK = Benchmark(
    about="deciding without gRPC and without the log: the policy, and what is added to it",
    quick=lambda: [measure(rounds=6, seconds=0.5)],
)
