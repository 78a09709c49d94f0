"""What made the numbers of an evaluation, told with them, so that they can be made again."""

import platform
from importlib.metadata import version

from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest

PACKAGES = ("elige", "numpy", "scipy", "scikit-learn", "vowpalwabbit")


def provenance_of(request: EvaluationRequest, reading: Reading) -> dict[str, object]:
    """reward: the formula by which decisions earned, where one is known; asked: the request; versions: of the packages
    that computed it.
    """
    told: dict[str, object] = {"asked": request.document(), "versions": versions()}
    return {"reward": reading.formula, **told} if reading.formula else told


def versions() -> dict[str, str]:
    """Of Python and of the packages on which numbers depend to the last bit."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
