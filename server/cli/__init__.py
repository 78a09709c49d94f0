"""The command line: one verb a task, every error one sentence on standard error.

Commands import what they need when they run: `elige decide` must not wait for SciPy.
"""

import codecs
import io
import json
import sys

import typer
from rich.console import Console
from rich.text import Text

import elige.client
from server.cli import (
    campaigns,
    db,
    decisions,
    demo,
    doctor,
    evaluate,
    evaluations,
    export,
    imports,
    observe,
    people,
    plan,
    serve,
    train,
)
from server.errors import EligeError

app = typer.Typer(
    name="elige",
    help="Picks headlines, offers and send times with contextual bandits, and says what any policy would have earned.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.add_typer(campaigns.app, name="campaign")
app.command("decide")(decisions.decide)
app.command("observe")(observe.observe)
app.command("activate")(decisions.activate)
app.command("reward")(decisions.reward)
app.command("explain")(decisions.explain)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(evaluations.app, name="evaluation")
app.command("plan")(plan.plan)
app.add_typer(train.app, name="train")
app.command("doctor")(doctor.doctor)
app.add_typer(imports.app, name="import")
app.command("export")(export.export)
app.add_typer(people.app, name="person")
app.add_typer(db.app, name="db")

INTERRUPTED = 130
ESCAPED = "elige.escaped"
"""What becomes of characters that the terminal's encoding can't hold."""


def is_expected(error: Exception) -> bool:
    """Whether a user can cause it, and its text was written for them. A defect keeps its traceback."""
    ours = type(error).__module__.partition(".")[0] in ("policies", "simulator", "server")
    told = isinstance(error, ValueError | ImportError | RuntimeError) and ours  # classes of ours, not those of Python
    return told or isinstance(error, EligeError | elige.client.EligeError | OSError)


def _told(error: Exception) -> str:
    if isinstance(error, elige.client.EligeError) and error.code == "UNAVAILABLE" and "connect" in str(error):
        return f"no server answers there ({error}); start one: elige serve"
    return str(error)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What the encoding of a terminal can't hold, as JSON writes it: a long evaluation is not lost for an accent."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def main() -> None:
    """Exit status: 0 done, 1 could not be done, 2 wrong usage, 3 refused, 130 interrupted."""
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # and neither closed nor one of a test
            stream.reconfigure(errors=ESCAPED)
    try:
        app()
    except KeyboardInterrupt:  # while commands are made ready; later it is typer that hears of it
        sys.exit(INTERRUPTED)
    except Exception as error:
        if not is_expected(error):
            raise
        Console(stderr=True, highlight=False).print(Text(f"elige: {_told(error)}"), soft_wrap=True)
        sys.exit(1)
