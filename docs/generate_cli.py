"""Writes docs/cli.md from the help of the commands. A test compares the page with what this would write.

python docs/generate_cli.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from server.cli import app

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Commands

Generated from the commands' help by `docs/generate_cli.py`. `elige COMMAND --help` prints the same.

Values of `--context` and `--label` are `name=value`: numbers, flags and lists are read as JSON, the rest is text. A
number that should be text goes into quotes of its own: `--context zip='"28001"'`. Times are `2026-03-01` or
`2026-03-01T10:00`, in UTC unless they name an offset. A policy is written as in a
[campaign file](campaign-file.md#campaign).

Exit status: 0 done, 1 could not be done, 2 wrong usage, 3 refused by what the log can tell, 130 interrupted.
"""


def page() -> str:
    """The text of docs/cli.md."""
    sections = [_section(path, command) for path, command in commands()]
    return "\n".join([HEAD, *sections])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its path: `elige campaign apply`."""
    yield from _leaves("elige", typer.main.get_command(app))


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    # Typer brings a Click of its own, so that groups are told by what they have, not by their class
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from _leaves(f"{path} {name}", one)


def _section(path: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = [_metavar(one) if one.required else f"[{_metavar(one)}]" for one in arguments]
    required = [f"{one.opts[0]} {_metavar(one)}" for one in options if one.required]
    optional = ["[options]"] if len(required) < len(options) else []
    lines = [f"## {path}", "", command.help, "", "```text", " ".join([path, *usage, *required, *optional]), "```", ""]
    if arguments or options:
        lines += ["| option | default | environment | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(f"`{_metavar(one)}`", one) for one in arguments]
        lines += [_row(f"`{_option(one)}`", one) for one in options]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, one: Any) -> str:
    default = "required" if one.required else "" if one.default in (None, False) else f"`{one.default}`"
    environment = f"`{one.envvar}`" if one.envvar else ""
    repeatable = " Repeatable." if one.multiple and "repeat" not in one.help else ""
    return f"| {name} | {default} | {environment} | {one.help}{repeatable} |"


def _option(one: Any) -> str:
    return one.opts[0] if one.is_flag else f"{one.opts[0]} {_metavar(one)}"


def _metavar(one: Any) -> str:
    return str(one.metavar or one.name.upper())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE}")
