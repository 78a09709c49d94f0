"""What made the numbers of an evaluation, told with them, so that they can be made again."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

from policies.base import Learner
from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import Served
from simulator import LANGUAGES, Candidate, PageCandidate
from simulator.candidates import Entry, named
from simulator.grids import expanded
from simulator.pages.policies import page_named

Configuration = dict[str, str]
PACKAGES = ("elige", "numpy", "scipy", "scikit-learn", "vowpalwabbit")


def provenance_of(request: EvaluationRequest, reading: Reading) -> dict[str, object]:
    """reward: the formula by which decisions earned, where one is known; asked: the request; versions: of the packages
    that computed it.
    """
    told: dict[str, object] = {"asked": request.document(), "versions": versions()}
    return {"reward": reading.formula, **told} if reading.formula else told


def configured(
    request: EvaluationRequest, reading: Reading, policies: Sequence[str | Candidate | PageCandidate]
) -> dict[str, dict[str, Configuration]]:
    """The exact configuration of each policy that was asked for, and of each of a grid, by its name in the result and
    by slot, but for slots that are as logged: the name of the `policy`, and its `arguments`, defaults included. Raises
    what judging them does.
    """
    page = reading.page
    if page is not None:
        on_page = [page_named(page, one, language=LANGUAGES[request.lang], seed=request.seed) for one in policies]
        return {
            one.name: {slot: _written(part) for slot, part in zip(page.names, one.slots, strict=True) if part}
            for one in on_page
        }
    log = reading.slots[0]
    grid = expanded(request.grid) if request.grid else ()
    alone = (named(log, one, seed=request.seed) for one in (*policies, *grid) if not isinstance(one, PageCandidate))
    return {one.name: {log.slot: _written(one)} for one in alone}


def _written(entry: Entry) -> Configuration:
    policy, name = entry.policy, entry.name if entry.spec is None else str(entry.spec)
    if isinstance(policy, Served):
        name, policy = policy.name, policy.policy
    return {"policy": name, "arguments": policy.arguments if isinstance(policy, Learner) else name}


def versions() -> dict[str, str]:
    """Of Python and of the packages on which numbers depend to the last bit."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
