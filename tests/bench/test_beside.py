"""What runs beside a side runs as long as that does, and no longer; what is measured is not asserted."""

import threading
from contextlib import nullcontext

import numpy as np
import pytest

from bench import beside
from bench.harness import Round, one_after_another

ROUND = Round(1.0, np.array([0.5, 0.5]))


def test_the_call_is_made_while_the_side_works_and_has_ended_after_it() -> None:
    called = threading.Event()
    under_way: list[int] = []

    def call() -> None:
        under_way.append(1)
        called.set()
        under_way.pop()

    def side(seconds: float) -> Round:
        assert seconds == 3.0
        assert called.wait(30)
        return ROUND

    took: list[float] = []
    assert beside.beside(side, call, took=took)(3.0) is ROUND
    assert len(took) >= 1
    assert under_way == []


def test_a_call_that_fails_fails_the_round() -> None:
    failed = threading.Event()

    def call() -> None:
        failed.set()
        raise RuntimeError("no plan")

    def side(seconds: float) -> Round:
        assert failed.wait(30)
        return ROUND

    with pytest.raises(RuntimeError, match="no plan"):
        beside.beside(side, call, took=[])(3.0)


def test_both_tables_are_made(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, ...]] = []

    class FakeClient:
        def __init__(self, target: str, *, timeout: float) -> None:
            assert target == "somewhere:1"

        def __enter__(self) -> "FakeClient":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def plan(self, campaign: str, *, policy: str) -> None:
            asked.append(("plan", policy))

        def diagnose(self, campaign: str) -> None:
            asked.append(("diagnose",))

    monkeypatch.setattr(beside, "elige_server", lambda folder, dev=False: nullcontext("somewhere:1"))
    monkeypatch.setattr(beside, "train", lambda target: None)
    monkeypatch.setattr(beside, "child", lambda arguments, name, folder: nullcontext())
    monkeypatch.setattr(beside, "load", lambda child: one_after_another(lambda: None))
    monkeypatch.setattr(beside, "Client", FakeClient)
    beside.main(["--rounds", "2", "--seconds", "0.01"])
    told = capsys.readouterr().out
    for name in ("| alone ", "| beside plans ", "| beside diagnoses ", "| plans ", "| diagnoses "):
        assert name in told
    assert set(asked) == {("plan", "auto"), ("diagnose",)}
