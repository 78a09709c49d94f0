"""Segments are found, keep their numbers while their people stay, and come out of the same contexts alike."""

from collections.abc import Iterable, Iterator

import numpy as np
import orjson
import pytest

from policies.base import UnreadableSnapshot
from policies.segmentation import FIRST_FIT, HORIZON, SAMPLE, Segmentation, inherited
from policies.types import Features

KINDS: dict[str, Features] = {
    "students": {"age": 21.0, "device": "phone", "likes": ("games", "music")},
    "parents": {"age": 42.0, "device": "desk", "likes": ("garden", "music")},
    "pensioners": {"age": 70.0, "device": "desk", "likes": ("garden", "travel"), "vip": True},
    "travellers": {"age": 45.0, "device": "tablet", "likes": ("travel",)},
}


def people(
    n: int, *, kinds: Iterable[str] = ("students", "parents", "pensioners"), seed: int = 1
) -> Iterator[Features]:
    rng = np.random.default_rng(seed)
    for kind in rng.choice(list(kinds), n):
        yield {**KINDS[kind], "age": KINDS[kind]["age"] + rng.normal(0, 3), "visits": float(rng.integers(1, 4))}


def trained(contexts: Iterable[Features], *, k: int = 3, seed: int = 0) -> Segmentation:
    segmentation = Segmentation(k, seed=seed)
    for context in contexts:
        segmentation.add(context)
    return segmentation


def labels(segmentation: Segmentation) -> dict[str, str | None]:
    return {kind: segmentation.label(context) for kind, context in KINDS.items()}


def reloaded(segmentation: Segmentation, *, k: int = 3, seed: int = 0) -> Segmentation:
    document = orjson.loads(orjson.dumps(segmentation.document()))
    return Segmentation.from_document(document, k, seed=seed)


def test_kinds_of_people_are_found() -> None:
    found = labels(trained(people(1000)))
    del found["travellers"]  # of whom there were none
    assert len(set(found.values())) == 3
    assert None not in found.values()


def test_there_are_none_before_the_first_fit() -> None:
    early = trained(people(FIRST_FIT - 1))
    assert early.label(KINDS["parents"]) is None
    assert early.labels == frozenset()
    assert early.add(KINDS["parents"])
    assert early.labels == {"1", "2", "3"}


def test_fits_come_when_they_are_said_to_come() -> None:
    segmentation = Segmentation(3)
    fits = [n for n, context in enumerate(people(30_000), start=1) if segmentation.add(context)]
    assert fits == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 22_800]
    assert len(segmentation.sample) == SAMPLE


def test_more_segments_wait_for_more_people() -> None:
    segmentation = Segmentation(10)
    assert next(n for n, context in enumerate(people(300), start=1) if segmentation.add(context)) == 200


def test_segments_that_stay_keep_their_numbers() -> None:
    segmentation = trained(people(400))
    before = labels(segmentation)
    for context in people(3000, seed=2):
        segmentation.add(context)
    assert segmentation.examples == 3400
    assert {**labels(segmentation), "travellers": ""} == {**before, "travellers": ""}


def test_a_new_kind_gets_a_new_number_and_the_others_keep_theirs() -> None:
    """The students leave, travellers come: the sample forgets the former, and no number is used for both."""
    segmentation = trained(people(12_800))
    before = labels(segmentation)
    for context in people(5 * HORIZON, kinds=("parents", "pensioners", "travellers"), seed=2):
        segmentation.add(context)
    after = labels(segmentation)
    assert (after["parents"], after["pensioners"]) == (before["parents"], before["pensioners"])
    assert after["travellers"] not in before.values()
    assert after["travellers"] in segmentation.labels
    assert before["students"] not in segmentation.labels


@pytest.mark.parametrize(
    ("labels", "before", "expected"),
    [
        ([0, 0, 1, 1], [7, 7, 9, 9], {0: 7, 1: 9}),
        ([0, 0, 0, 1, 1], [7, 7, 7, 7, 7], {0: 7}),  # came apart: the larger part keeps the number …
        ([0, 0, 1, 1, 1], [7, 7, 7, 7, 7], {1: 7}),  # … whichever is found first
        ([0, 0, 1, 1], [7, 7, 7, 7], {0: 7}),
        ([0, 0, 0, 1], [7, 7, 9, 9], {0: 7, 1: 9}),
        ([0, 0, 0, 0], [7, 7, 9, 9], {}),  # half is not most
        ([0, 0, 0, 0, 0], [7, 7, 9, 8, 6], {}),
    ],
)
def test_a_segment_is_called_as_most_of_its_people_were(
    labels: list[int], before: list[int], expected: dict[int, int]
) -> None:
    assert inherited(np.array(labels), np.array(before)) == expected


def test_the_sample_is_of_all_at_first_and_then_of_the_latest() -> None:
    def mean_age(n: int) -> float:
        found = trained(({"n": float(i)} for i in range(n)), k=2)
        return float(np.mean([n - row["n"] for row in found.sample]))  # type: ignore[operator]

    assert mean_age(HORIZON) == pytest.approx(HORIZON / 2, rel=0.05)
    assert mean_age(6 * HORIZON) == pytest.approx(HORIZON, rel=0.1)


def test_the_same_contexts_give_the_same_bytes_wherever_learning_stopped() -> None:
    contexts = list(people(2500))
    whole = trained(contexts)
    parts = trained(contexts[:170])
    for first in range(170, 2500, 333):
        parts = reloaded(parts)
        for context in contexts[first : first + 333]:
            parts.add(dict(reversed(context.items())))
    assert orjson.dumps(parts.document()) == orjson.dumps(whole.document())
    other = trained(contexts, seed=1)
    assert other.sample != whole.sample


def test_labels_come_back_with_the_document() -> None:
    segmentation = trained(people(500))
    copy = reloaded(segmentation)
    assert [copy.label(context) for context in people(200, seed=3)] == [
        segmentation.label(context) for context in people(200, seed=3)
    ]


def test_fewer_kinds_than_segments() -> None:
    segmentation = trained([{"country": "ES"}, {"country": "PT"}, {}] * 200, k=8)
    found = {segmentation.label(context) for context in ({"country": "ES"}, {"country": "PT"}, {})}
    assert found == segmentation.labels
    assert len(found) == 3
    nothing = trained([{}] * 200, k=8)
    assert nothing.label({"country": "ES"}) == nothing.label({}) == "1"


@pytest.mark.parametrize(
    "change",
    [
        {"k": 4},
        {"seed": 1},
        {"sample": [["=ES"]]},
        {"segments": [[[], []], [[1.0]], [1]]},
        {"segments": [[[["country", "=ES"]], []], [[float("nan")]], [1]]},
        {"segments": [[[["country", "=ES"]], []], [[1.0]], [1, 2]]},
        {"examples": None},
    ],
)
def test_other_documents_are_refused(change: dict[str, object]) -> None:
    document = trained([{"country": "ES"}] * 150).document()
    with pytest.raises(UnreadableSnapshot, match="expected a segmentation"):
        Segmentation.from_document({**document, **change}, 3, seed=0)
    with pytest.raises(UnreadableSnapshot, match="expected a segmentation"):
        Segmentation.from_document({}, 3, seed=0)
