"""Benchmarks are found by their files."""

import pytest

from bench import __main__
from bench.figures import Figures
from bench.registry import Benchmark, benchmarks


def test_every_benchmark_is_found_and_says_what_it_measures() -> None:
    found = benchmarks()
    assert {"decide", "learning", "serve"} <= found.keys()
    assert not {"harness", "load", "noop", "registry"} & found.keys()
    assert all(benchmark.about for benchmark in found.values())


def test_the_command_runs_all_and_prints_their_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def figures(title: str) -> Benchmark:
        return Benchmark(about=title, quick=lambda: [Figures(title, ("side", "calls/s"), ((title, "1"),), {})])

    monkeypatch.setattr(__main__, "benchmarks", lambda: {"one": figures("first"), "two": figures("second")})
    __main__.main([])
    printed = capsys.readouterr().out
    assert "| first |" in printed
    assert printed.index("first") < printed.index("second")
    __main__.main(["two"])
    assert "first" not in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["serv"])
    assert "no benchmark 'serv'; there are: beside, checks, coverage, " in capsys.readouterr().err
