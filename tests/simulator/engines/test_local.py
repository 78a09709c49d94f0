"""Tasks on pieces: the same results here and in other processes; what a task raises is raised where it was given."""

import io
import os
import pickle
import sys
from functools import partial
from math import sqrt

import pytest

from policies.baselines import Uniform
from simulator.engines.local import EngineError, Inline, available_cores, local_engine, mapped, portable
from simulator.engines.worker import serve
from simulator.logs.problems import LogError


def test_results_come_in_the_order_of_the_pieces_and_errors_as_they_were() -> None:
    """One pool for all that needs processes: they take a second or two to start."""
    with local_engine(2) as engine:
        assert engine.cores == 2
        assert list(engine.map(partial(pow, 3), range(12))) == [3**power for power in range(12)]
        with pytest.raises(ValueError, match="math domain error"):
            list(engine.map(sqrt, [1.0, -1.0, 2.0]))
        assert list(engine.map(sqrt, [4.0])) == [2.0], "and it goes on"
        with pytest.raises(EngineError, match="ended with 3: out of memory"):
            list(engine.map(os._exit, [3]))


def test_one_core_is_this_process() -> None:
    with local_engine(1) as engine:
        assert isinstance(engine, Inline)
        assert list(engine.map(lambda piece: piece + 1, [1, 2])) == [2, 3]
    with local_engine(8, most=1) as engine:
        assert isinstance(engine, Inline)
    with pytest.raises(ValueError, match="cores 0: expected at least 1"), local_engine(0):
        pass
    assert available_cores() >= 1


def test_who_waits_hears_how_far_it_is() -> None:
    heard: list[tuple[str, float]] = []
    assert list(mapped(Inline(), abs, [-1, -2], lambda *what: heard.append(what), "counting")) == [1, 2]
    assert heard == [("counting", 0.0), ("counting", 0.5), ("counting", 1.0)]


def test_what_can_be_sent_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Here:
        pass

    assert portable(Uniform())
    assert not portable(Here())
    assert not portable(lambda: None)
    Here.__module__, Here.__qualname__ = "__main__", "Here"
    monkeypatch.setattr(sys.modules["__main__"], "Here", Here, raising=False)
    assert pickle.loads(pickle.dumps(Here)) is Here
    assert not portable(Here), "a worker has another main module"


def refuse(piece: int) -> None:
    raise LogError("a log", [f"piece {piece} is no piece"])


def test_a_worker_answers_until_nothing_more_is_asked() -> None:
    """An error whose constructor takes more than a message arrives with all it had."""
    questions, answers = io.BytesIO(), io.BytesIO()
    for task, piece in ((sqrt, 9.0), (refuse, 7), (lambda_free, 1)):
        pickle.dump((pickle.dumps(task), piece), questions)
    questions.seek(0)
    serve(questions, answers)
    answers.seek(0)
    assert pickle.load(answers) == (True, 3.0)
    done, (kind, arguments, state) = pickle.load(answers)
    assert (done, kind, arguments) == (False, LogError, ("log 'a log': piece 7 is no piece",))
    assert state == {"problems": ("piece 7 is no piece",)}
    done, (kind, arguments, _) = pickle.load(answers)
    assert (done, kind) == (False, AttributeError)
    assert not answers.read()


def lambda_free(piece: int) -> object:
    """Its result can't be sent."""
    return lambda: piece
