"""`elige doctor`: is it learning, and if not, why?"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.options import DB, AsJson, Db

COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(
    campaign: Annotated[str, typer.Option(help="The campaign.")],
    db: Db = DB,
    lang: Annotated[str, typer.Option(help="Of the sentences: en or es.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Whether a campaign is learning, and if not, why and what to do.

    Looks at its log, its trainer and its newest snapshot, and changes nothing. The exit status is 1 where there is a
    problem; a note is worth reading, and may be meant so.
    """
    from server.store.database import Database
    from server.training.doctor import diagnose
    from server.training.findings import Level
    from server.training.headings import HEADINGS

    if lang not in HEADINGS:
        raise typer.BadParameter(f"{lang!r}: expected one of {', '.join(HEADINGS)}", param_hint="--lang")
    found = diagnose(Database(db, create=False), campaign, now=datetime.now(UTC), lang=lang)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
    else:
        told = HEADINGS[lang]
        table = Table("", told.about, told.says, told.do, box=None)
        for one in found:
            level = Text(told.levels[one.level], style=COLOURS[one.level.value])
            table.add_row(level, Text(told.subject(one.about)), Text(one.says), Text(one.do))
        Console(highlight=False).print(table)
    if any(one.level is Level.PROBLEM for one in found):
        raise typer.Exit(1)
