"""The command line and its terminal: interrupted, of another encoding, asked of a database that is not there."""

import io
import json
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

import server.__main__
from server import cli


class Slow(ModuleType):
    """A command line whose import can be interrupted."""

    seen: list[object] = []  # noqa: RUF012 of one test

    @property
    def main(self) -> object:
        self.seen.append(signal.getsignal(signal.SIGINT))
        return lambda: self.seen.append(signal.getsignal(signal.SIGINT))


@pytest.mark.parametrize("ignored", [False, True])
def test_an_interrupt_before_anything_has_begun_ends_it_in_silence(
    monkeypatch: pytest.MonkeyPatch, ignored: bool
) -> None:
    slow = Slow("server.cli")
    monkeypatch.setitem(sys.modules, "server.cli", slow)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        slow.seen.clear()
        server.__main__.main()
    finally:
        signal.signal(signal.SIGINT, before)
    expected = [signal.SIG_IGN] * 2 if ignored else [signal.SIG_DFL, signal.default_int_handler]
    assert slow.seen == expected


def test_an_interrupt_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130


def test_what_the_terminal_can_not_show_is_escaped_and_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    told = {"name": "ñandú 🙂"}
    monkeypatch.setattr(cli, "app", lambda: print(json.dumps(told, ensure_ascii=False)))
    cli.main()
    assert shown.getvalue() == b'{"name": "\\u00f1and\\u00fa \\ud83d\\ude42"}\n'
    assert json.loads(shown.getvalue()) == told


@pytest.mark.parametrize(
    "command", [["evaluate", "--campaign", "a"], ["evaluate", "--campaign", "a", "--save"], ["plan", "--campaign", "a"],
                ["doctor", "--campaign", "a"]], ids=" ".join,
)  # fmt: skip
def test_reading_makes_no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(cli.app, [*command, "--db", "sqlite:///tipo.db"])
    assert told.exit_code == 1
    assert "there is no database" in str(told.exception)
    assert list(tmp_path.iterdir()) == []
