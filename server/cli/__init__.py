"""The command line: one verb a task, every error one sentence on standard error."""

import sys

import click
import typer
from rich.console import Console
from rich.text import Text

import elige.client
from policies.expressions import ExpressionError
from policies.registry import PolicyError
from server.cli import campaigns, decisions, evaluate, imports, serve
from server.errors import EligeError
from simulator import EvaluationError, LogError, MappingError, NoSupport, SourceError

app = typer.Typer(
    name="elige",
    help="Picks headlines, offers and send times with contextual bandits, and says what any policy would have earned.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.add_typer(campaigns.app, name="campaign")
app.command("decide")(decisions.decide)
app.command("reward")(decisions.reward)
app.command("explain")(decisions.explain)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(imports.app, name="import")

EXPECTED = (
    EligeError,
    elige.client.EligeError,
    EvaluationError,
    ExpressionError,
    LogError,
    MappingError,
    NoSupport,
    PolicyError,
    SourceError,
    OSError,
)
"""What a user can cause: told in a sentence. Anything else is a defect and keeps its traceback."""


def main() -> None:
    """The console script `elige`. Exit status: 0 done, 1 could not be done, 2 wrong usage."""
    try:
        status = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except EXPECTED as error:
        Console(stderr=True, highlight=False).print(Text(f"elige: {error}"), soft_wrap=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
