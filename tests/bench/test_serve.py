"""The benchmark of the server still runs; what it measures is not asserted."""

import json
from pathlib import Path

import pytest

from bench import serve


@pytest.mark.slow
@pytest.mark.parametrize("rewards", [0.0, 0.5])
def test_the_server_and_the_no_op_server_are_measured(
    rewards: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "WARM_UP_SECONDS", 0.01)
    file = tmp_path / "serve.json"
    serve.main(["--rounds", "2", "--seconds", "0.05", "--rewards", str(rewards), "--json", str(file)])
    assert "| elige |" in capsys.readouterr().out
    (result,) = json.loads(file.read_text())["results"]
    assert list(result["sides"]) == ["no-op", "elige"]
    assert all(side["rate"] > 0 and 0 < side["p50"] <= side["p99"] for side in result["sides"].values())
