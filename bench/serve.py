"""The real server against one that does nothing: `Decide` over gRPC, durable in SQLite, by a trained policy.

    python -m bench.serve --rounds 10 --seconds 2 --in-flight 32 --json serve.json

Starts `elige serve` on a fresh database, trains a campaign's learner, and then lets the same load call the server and
a no-op server in turn. Every process listens on 127.0.0.1 only and ends with this one.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np

from bench import campaign
from bench.children import Child, ChildFailed, child, run
from bench.figures import Figures, as_text, machine, write_json
from bench.harness import Side, compare
from bench.load import load, require_drawn
from bench.registry import Benchmark
from elige.client import Client
from elige.client.operations import DECIDE
from elige.v1.decisions_pb2 import Decision

NO_OP, ELIGE = "no-op", "elige"
TRAINING = 400
"""Decisions to train from."""
START_SECONDS = 60.0
SNAPSHOT_SECONDS = 60.0
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """`rewards`: how many decisions of one are followed by a call that tells a click, 0 to 1."""

    rounds: int = 10
    seconds: float = 2.0
    in_flight: int = 32
    rewards: float = 0.0


def measure(settings: Settings) -> Figures:
    """Raises ChildFailed."""
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as name, ExitStack() as running:
        folder = Path(name)
        with elige_server(folder, dev=True) as target:
            train(target)
        # without --dev: windows stay open, so that what is measured is deciding, and the trainer is at rest
        real = running.enter_context(elige_server(folder))
        decision = decide_once(real)
        no_op = running.enter_context(child(["-m", "bench.noop"], name="no-op-server", folder=folder))
        no_op.say(decision.SerializeToString().hex())

        def side(name: str, target: str) -> Side:
            arguments = [target, "--in-flight", str(settings.in_flight), "--rewards", str(settings.rewards)]
            started = child(["-m", "bench.load", *arguments], name=f"{name}-load", folder=folder)
            return load(running.enter_context(started))

        sides = {NO_OP: side(NO_OP, no_op.hear(seconds=START_SECONDS)), ELIGE: side(ELIGE, real)}
        for one in sides.values():
            one(WARM_UP_SECONDS)
        found = compare(sides, baseline=NO_OP, rounds=settings.rounds, seconds_per_round=settings.seconds)
    mix = f" and {settings.rewards:g} Reward for each" if settings.rewards else ""
    return found.figures(
        f"serve: Decide{mix}, {len(campaign.VARIANTS)} variants, squarecb, {settings.in_flight} in flight, "
        f"{settings.rounds} rounds of {settings.seconds:g} s a side"
    )


@contextmanager
def elige_server(folder: Path, *, dev: bool = False) -> Iterator[str]:
    """`elige serve` with its trainer on a free port; its address."""
    command = ["-c", "from server.cli import main; main()", "serve", "--listen", "127.0.0.1:0"]
    arguments = [*command, "--db", f"sqlite:///{folder / 'elige.db'}", *(["--dev"] if dev else [])]
    with child(arguments, name="elige-serve", folder=folder) as server:
        yield address(server)


def address(server: Child) -> str:
    """Where it listens, by its own word. Raises ChildFailed."""
    said = server.hear(seconds=START_SECONDS)
    found = re.search(r" on (\S+:\d+)", said)
    if found is None:
        raise ChildFailed(f"elige serve said {said!r}: expected its address")
    return found[1]


def train(target: str) -> None:
    """Apply the campaign, decide for some hundred people, tell who clicked, and wait for the snapshot."""
    rng = np.random.default_rng(2)
    visitors = campaign.contexts(rng)
    contexts = [next(visitors) for _ in range(TRAINING)]
    with Client(target, timeout=30.0) as elige:
        elige.put_campaign(campaign.SOURCE)
        decisions = elige.decide_many({"campaign": campaign.NAME, "context": context} for context in contexts)
        clicked = []
        for context, decision in zip(contexts, decisions, strict=True):
            assert not isinstance(decision, Exception), decision
            if rng.random() < campaign.click_share(context, decision[campaign.SLOT].variant):
                clicked.append(decision.id)
        elige.reward_many({"decision_id": decision_id} for decision_id in clicked)
        until = time.monotonic() + SNAPSHOT_SECONDS
        while not elige.get_campaign(campaign.NAME).snapshot:
            if time.monotonic() > until:
                raise ChildFailed(f"no snapshot after {SNAPSHOT_SECONDS:g} s")
            time.sleep(0.1)


def decide_once(target: str) -> Decision:
    """One answer of the trained server, as it goes over the wire."""
    with grpc.insecure_channel(target) as channel:
        rpc = channel.unary_unary(
            DECIDE.path,
            request_serializer=DECIDE.request.SerializeToString,
            response_deserializer=Decision.FromString,
        )
        decision: Decision = rpc(campaign.requests(1, seed=3)[0], timeout=10.0)
    require_drawn(decision)
    return decision


def main(arguments: list[str] | None = None) -> None:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description="The server against a no-op server.")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="a round and side; default: %(default)s")
    parser.add_argument("--in-flight", type=int, default=usual.in_flight, help="calls at once; default: %(default)s")
    parser.add_argument(
        "--rewards", type=float, default=usual.rewards, help="Reward calls a Decide, 0 to 1; default: 0"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, unrounded, here as well")
    options = vars(parser.parse_args(arguments))
    json = options.pop("json")
    print("{cores} cores, Python {python}\n".format(**machine()), flush=True)
    figures = measure(Settings(**options))
    print(as_text(figures))
    if json:
        write_json(json, [figures])


BENCHMARK = Benchmark(
    about="Decide over gRPC, durable: the server against a no-op server",
    quick=lambda: [measure(Settings(rounds=6, seconds=1.5))],
)

if __name__ == "__main__":
    run(main)
