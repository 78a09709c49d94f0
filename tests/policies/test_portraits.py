"""Portraits tell the truth about the sample, in the units in which it came."""

import numpy as np
import pytest

from policies.portraits import Kind, Portrait, Trait, describe, sentence
from policies.segmentation import Segmentation
from policies.types import Features


@pytest.fixture(scope="module")
def contexts() -> list[Features]:
    rng = np.random.default_rng(1)
    found: list[Features] = []
    for n in range(900):
        vip = n % 3 == 0
        context: Features = {"vip": vip, "noise": float(rng.normal()), "country of birth": "ES" if n % 2 else "São"}
        likes = ("jazz|soul", "folk") if vip else ("rock",)
        found.append(
            {**context, "likes": likes, "orders": float(rng.poisson(12))} if vip else {**context, "likes": likes}
        )
    return found


@pytest.fixture(scope="module")
def portraits(contexts: list[Features]) -> tuple[Portrait, ...]:
    segmentation = Segmentation(2)
    for context in contexts:
        segmentation.add(context)
    return describe(segmentation)


def test_the_largest_first_with_their_shares(portraits: tuple[Portrait, ...]) -> None:
    assert [portrait.share for portrait in portraits] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]


def test_what_distinguishes_and_nothing_else(portraits: tuple[Portrait, ...]) -> None:
    others, vips = portraits
    assert {(trait.key, trait.kind, trait.value) for trait in vips.traits} == {
        ("vip", Kind.YES, ""),
        ("likes", Kind.LISTED, "folk"),
        ("orders", Kind.MISSING, ""),
    }
    vip = next(trait for trait in vips.traits if trait.key == "vip")
    assert (vip.here, vip.everybody, vip.lift) == (1.0, pytest.approx(1 / 3), pytest.approx(3.0))
    assert vip.difference == pytest.approx((1 - 1 / 3) / np.sqrt(2 / 9))
    assert {trait.key for trait in others.traits} == {"vip", "likes", "orders"}


def test_numbers_are_told_in_their_own_unit() -> None:
    rng, segmentation, seen = np.random.default_rng(2), Segmentation(2), []
    for n in range(800):
        many = n % 4 == 0
        orders = float(rng.poisson(30 if many else 3))
        seen.append((many, orders))
        noise = {f"noise {i}": bool(rng.random() < 0.1) for i in range(5)}
        segmentation.add({"orders": orders, "kind": "a" if many else "b", **noise})
    _, few = describe(segmentation)
    assert {trait.key for trait in few.traits} == {"orders", "kind"}, "what differs by chance is not told"
    trait = next(trait for trait in few.traits if trait.key == "orders")
    orders = np.array([orders for _, orders in seen])
    assert trait.here == pytest.approx(np.mean([orders for many, orders in seen if many]))
    assert trait.everybody == pytest.approx(orders.mean())
    assert trait.difference == pytest.approx((trait.here - trait.everybody) / orders.std())


def test_sentences() -> None:
    traits = (
        Trait("orders", Kind.MEAN, "", 12.34, 3.1, 2.0),
        Trait("spent", Kind.MEAN, "", 12_345.6, 0.0, 1.5),
        Trait("country", Kind.TEXT, "ES", 0.8, 0.35, 1.0),
        Trait("likes", Kind.LISTED, "jazz", 0.5, 0.2, 0.9),
        Trait("vip", Kind.YES, "", 0.0, 0.2, -0.5),
        Trait("age", Kind.MISSING, "", 1.0, 0.25, 0.4),
    )
    assert sentence(Portrait("3", 0.214, traits)) == (
        "segment 3, 21% of decisions: orders 12.3 on average (everybody 3.1), spent 12,346 on average (everybody 0), "
        "country ES for 80% (everybody 35%), likes with jazz for 50% (everybody 20%), vip for 0% (everybody 20%), "
        "age not known for 100% (everybody 25%)"
    )
    assert sentence(Portrait("1", 1.0, ())) == "segment 1, 100% of decisions: like everybody"
    assert sentence(Portrait("3", 0.214, traits), "es") == (
        "segmento 3, 21 % de las decisiones: orders 12,3 de media (todos, 3,1), spent 12.346 de media (todos, 0), "
        "country ES en el 80 % (todos, 35 %), likes con jazz en el 50 % (todos, 20 %), vip en el 0 % (todos, 20 %), "
        "age no se sabe en el 100 % (todos, 25 %)"
    )
    assert np.isnan(Trait("a", Kind.YES, "", 0.5, 0.0, 1.0).lift)


def test_names_and_texts_are_told_as_they_came() -> None:
    segmentation = Segmentation(2)
    for n in range(200):
        segmentation.add({"a b|c": "x=y %41 é\ud800" if n % 2 else "z"})
    told = {(trait.key, trait.value) for portrait in describe(segmentation) for trait in portrait.traits}
    assert told == {("a b|c", "x=y %41 é\ufffd\ufffd\ufffd"), ("a b|c", "z")}


def test_nobody_is_described_before_there_are_segments() -> None:
    assert describe(Segmentation(3)) == ()


def test_segments_of_chance_have_no_traits() -> None:
    segmentation = Segmentation(2)
    for _ in range(300):
        segmentation.add({"same": "for all"})
    (only,) = describe(segmentation)
    assert only.traits == ()
