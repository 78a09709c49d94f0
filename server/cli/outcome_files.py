"""`elige reward --batch FILE`: the outcomes of a file, sent in chunks, with a summary."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from elige.client import Client, EligeError
from server.errors import InvalidRequest

if TYPE_CHECKING:
    from server.files.outcomes import Answer, Columns, Item, Rejected

SHOWN = 10
"""Refused rows spelled out; the rest is counted, and stands in the file of rejects."""
WORDS = ("accepted", "pending", "late", "duplicate", "refused")
INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""


def send_file(client: Client, path: Path, columns: "Columns", *, rejects: Path | None, as_json: bool) -> None:
    """Send every row; print what became of them. Raises Exit with 1 if a row was refused, with 130 after Ctrl-C."""
    from server.files.outcomes import send_outcomes

    if rejects is not None and rejects.exists() and rejects.samefile(path):
        raise InvalidRequest(f"{rejects} is the file to send: name another one for the rejects")
    totals: Counter[str] = Counter()
    first: list[Rejected] = []
    interrupted = False
    try:
        with _rejects(rejects, columns) as write, _progress() as show:

            def reject(one: "Rejected") -> None:
                write(one)
                if len(first) < SHOWN:
                    first.append(one)

            for so_far in send_outcomes(path, columns, send=lambda items: _send(client, items), reject=reject):
                totals = so_far
                show(totals.total())
    except KeyboardInterrupt:
        interrupted = True
    finally:
        _summarise(totals, first, rejects, as_json=as_json)
    if interrupted:
        typer.echo("stopped; send the file again: what was counted is not counted twice", err=True)
        raise typer.Exit(INTERRUPTED)
    if totals["refused"]:
        raise typer.Exit(1)


def _send(client: Client, items: "Sequence[Item]") -> "list[Answer]":
    from server.files.outcomes import Answer

    answers = client.reward_many(items)  # type: ignore[arg-type]  # an Item has the entries of a RewardItem
    return [Answer("", str(answer)) if isinstance(answer, EligeError) else Answer(answer.status) for answer in answers]


@contextmanager
def _rejects(path: Path | None, columns: "Columns") -> "Iterator[Callable[[Rejected], None]]":
    """What writes a refused row, with its line and the reason; a row at a time, so that nothing is lost by Ctrl-C."""
    from server.files.outcomes import REJECTED_BECAUSE, REJECTED_LINE
    from server.files.rows import as_text

    if path is None:
        yield lambda _: None
        return
    header = columns.rejects_header
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)

        def write(one: "Rejected") -> None:
            cells = {**one.cells, REJECTED_LINE: one.line, REJECTED_BECAUSE: one.because}
            writer.writerow([as_text(cells.get(column)) for column in header])

        yield write


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how many rows were sent."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("sending", total=None)
        yield lambda rows: progress.update(task, completed=rows)


def _summarise(totals: "Counter[str]", first: "Sequence[Rejected]", rejects: Path | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({"rows": totals.total(), **{word: totals[word] for word in WORDS}}).decode())
    else:
        counts = ", ".join(f"{totals[word]:,} {word}" for word in WORDS)
        typer.echo(f"{totals.total():,} rows: {counts}")
    for one in first:
        typer.echo(f"line {one.line}: {one.because}", err=True)
    if (more := totals["refused"] - len(first)) > 0:
        where = f"all are in {rejects}" if rejects else "--rejects FILE writes them all"
        typer.echo(f"… and {more:,} more; {where}", err=True)
