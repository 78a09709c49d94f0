"""`elige decide | activate | reward | explain`: one decision by hand; `reward --batch`, the outcomes of a file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from elige.client import ActivateArguments, Candidate, Client, Decision, Explanation, RewardArguments
from server.cli.options import SERVER, AsJson, Server, read_pair, read_pairs, read_time
from server.cli.outcome_files import send_file

PATIENCE = 30.0
"""Seconds: somebody at a terminal can wait longer than a page."""
Id = Annotated[str, typer.Argument(help="The decision's id.", metavar="DECISION")]


def decide(
    campaign: Annotated[str, typer.Argument(help="The campaign.", metavar="CAMPAIGN")],
    person: Annotated[str | None, typer.Option(help="The person's pseudonymous key.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="name=value; repeat for several.", metavar="K=V")] = None,
    label: Annotated[list[str] | None, typer.Option(help="For the log, never a feature.", metavar="K=V")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Not this variant.", metavar="SLOT=VARIANT")] = None,
    candidate: Annotated[list[str] | None, typer.Option(help="Also this text.", metavar="SLOT=TEXT")] = None,
    request_id: Annotated[str | None, typer.Option(help="Makes the call safe to repeat.")] = None,
    defer: Annotated[bool, typer.Option("--defer", help="Counts only once it is activated.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Not logged, not learned.")] = False,
    server: Server = SERVER,
    as_json: AsJson = False,
) -> None:
    """Decide for one person, with every variant's probability."""
    excluded: dict[str, list[str]] = {}
    for pair in exclude or ():
        slot, variant = read_pair(pair, "--exclude", "SLOT=VARIANT")
        excluded.setdefault(slot, []).append(variant)
    brought: dict[str, list[Candidate]] = {}
    for pair in candidate or ():
        slot, text = read_pair(pair, "--candidate", "SLOT=TEXT")
        brought.setdefault(slot, []).append({"id": text, "content": {"text": text}})
    with Client(server, decide_timeout=PATIENCE) as client:
        decision = client.decide(
            campaign,
            person=person or "",
            context=read_pairs(context or (), "--context"),
            labels=read_pairs(label or (), "--label"),
            exclude=excluded,
            candidates=brought,
            request_id=request_id or "",
            defer_activation=defer,
            dry_run=dry_run,
            want_probabilities=True,
        )
    if as_json:
        _print_json(decision)
        return
    _print_decision(decision)


def activate(
    decision: Id,
    slot: Annotated[
        list[str] | None, typer.Option(help="Only this slot was shown; repeatable. By default all.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="When it was shown; by default now.", metavar="TIME")] = None,
    server: Server = SERVER,
    as_json: AsJson = False,
) -> None:
    """Tell that a decision made with --defer was really shown or sent, and see when its window closes."""
    given: ActivateArguments = {"slots": slot or ()}
    if (shown := read_time(at, "--at")) is not None:
        given["at"] = shown
    with Client(server) as client:
        answer = client.activate(decision, **given)
    if as_json:
        _print_json(answer)
    elif answer.window_closes_at:
        typer.echo(f"{answer.status}; the window closes at {answer.window_closes_at:%Y-%m-%d %H:%M:%S} UTC")
    else:
        typer.echo(f"{answer.status}: {_WHY_NO_WINDOW[answer.status]}")


_WHY_NO_WINDOW = {
    "pending": "its decision is still on its way to the log; counts when it arrives",
    "expired": "the time to activate it was over; it does not count",
}


def reward(
    decision: Annotated[
        str | None, typer.Argument(help="The decision's id. Not with --person.", metavar="DECISION")
    ] = None,
    metric: Annotated[str | None, typer.Argument(help="By default the only declared one.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Credit the last decision of the campaign that was shown to this person.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="The campaign, with --person; with --batch, of rows that name none.")
    ] = None,
    value: Annotated[float | None, typer.Option(help="By default 1.")] = None,
    slot: Annotated[str | None, typer.Option(help="Only this slot earned it.")] = None,
    at: Annotated[str | None, typer.Option(help="When it happened; by default now.", metavar="TIME")] = None,
    key: Annotated[str | None, typer.Option(help="Counts once, however often it is sent.")] = None,
    batch: Annotated[
        Path | None, typer.Option(help="Send every row of this file, CSV or Parquet.", metavar="FILE")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="With --batch: which column is what, value=amount; repeatable.", metavar="FIELD=COLUMN"),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="With --batch: leave this column out; repeatable.", metavar="COLUMN")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="With --batch: write what was refused, and why, as CSV.", metavar="FILE")
    ] = None,
    server: Server = SERVER,
    as_json: AsJson = False,
) -> None:
    """Tell that something happened after a decision, and see when it will be learned.

    With --person and --campaign the only argument is the metric.

    With --batch: tell all outcomes of a file with the columns decision_id (or person and campaign), metric, value, at,
    key and slot, of which only the decision or the person must be there. Sending a file again counts nothing twice.
    Exit status 1 if a row was refused.
    """
    if batch is not None:
        if decision or metric or person or value is not None or slot or at or key:
            raise typer.BadParameter(
                "the file says what happened: expected no other outcome beside it", param_hint="--batch"
            )
        from server.files.outcomes import read_columns

        named = dict(read_pair(pair, "--column", "FIELD=COLUMN") for pair in column or ())
        with Client(server) as client:
            columns = read_columns(batch, named=named, ignored=ignore or (), campaign=campaign)
            send_file(client, batch, columns, rejects=rejects, as_json=as_json)
        return
    if person is not None and metric is None:
        decision, metric = None, decision  # the only argument that is left
    if (decision is None) == (person is None):
        raise typer.BadParameter("expected a decision's id, or --person, or --batch FILE", param_hint="DECISION")
    if (person is None) != (campaign is None):
        raise typer.BadParameter("expected both --person and --campaign, or neither")
    if column or ignore or rejects:
        raise typer.BadParameter("--column, --ignore and --rejects go with --batch FILE")
    given: RewardArguments = {"slot": slot or "", "key": key or "", "person": person or "", "campaign": campaign or ""}
    if value is not None:
        given["value"] = value
    if (happened := read_time(at, "--at")) is not None:
        given["at"] = happened
    with Client(server) as client:
        answer = client.reward(decision or "", metric or "", **given)
    if as_json:
        _print_json(answer)
        return
    if person is not None and answer.decision_id:
        typer.echo(f"credits {answer.decision_id}")
    if answer.learned_at:
        when = f"{answer.learned_at:%Y-%m-%d %H:%M:%S} UTC"
        typer.echo(f"{answer.status}; will be learned at {when}, when the window closes")
    else:
        typer.echo(f"{answer.status}: {_WHY_NOT_LEARNED[answer.status]}")


_WHY_NOT_LEARNED = {
    "accepted": "stored; its decision is not activated yet, or of a kind from which its campaign does not learn",
    "pending": "its decision is still on its way to the log; counts when it arrives",
    "late": "stored, but the window was closed: it does not change what was learned",
    "duplicate": "this key was seen before; the first one stands",
}


def explain(decision: Id, server: Server = SERVER, as_json: AsJson = False) -> None:
    """Recompute a logged decision, and say whether it agrees."""
    with Client(server) as client:
        explained = client.explain(decision)
    if as_json:
        _print_json(explained)
    else:
        _print_explanation(explained)
    if not explained.agrees:
        raise typer.Exit(1)


def _print_decision(decision: Decision) -> None:
    console = Console(highlight=False)
    for choice in decision.choices.values():
        drawn = f"probability {choice.propensity:.4f}" if choice.kind in ("drawn", "repeated") else choice.reason
        by = f" by {choice.policy}" if choice.policy else ""
        console.print(Text(f"{choice.slot}: {choice.variant}", style="bold"), Text(f"({drawn}{by})"))
        for name, value in choice.content.items():
            console.print(Text(f"  {name}: {value}"))
        table = Table(box=None, show_header=False, padding=(0, 1))
        for variant, probability in choice.probabilities.items():
            chosen = variant == choice.variant
            table.add_row("  ▸" if chosen else "", Text(variant), f"{probability:.4f}", "█" * round(30 * probability))
        if choice.probabilities:
            console.print(table)
    if decision.ignored_context:
        ignored = ", ".join(decision.ignored_context)
        console.print(Text(f"ignored: {ignored} (not declared in the campaign, or of another type)", style="yellow"))
    if decision.window_closes_at:
        closes = f", window closes {decision.window_closes_at:%Y-%m-%d %H:%M:%S} UTC"
    else:
        closes = ", waits for its activation" if decision.id else ""
    learned = f"snapshot {decision.snapshot}" if decision.snapshot else "nothing learned yet"
    repeated = ", the same answer as before" if decision.kind == "repeated" else ""
    console.print(Text(f"decision {decision.id or '(not logged)'}: {learned}{closes}{repeated}"), soft_wrap=True)


def _print_explanation(explained: Explanation) -> None:
    console = Console(highlight=False)
    logged = explained.logged
    context = ", ".join(f"{name}={value}" for name, value in logged.context.items()) or "none"
    console.print(Text(f"{logged.decision.campaign} version {logged.decision.version}, context: {context}"))
    for slot in explained.slots:
        console.print(Text(f"{slot.slot}: {slot.logged_variant}", style="bold"))
        table = Table("", "variant", "policy", "logged", "recomputed", box=None, padding=(0, 1))
        for one in slot.variants:
            refused = f"not eligible: {one.refusal.reason}" if one.refusal else ""
            numbers = (one.policy_probability, one.logged_probability, one.recomputed_probability)
            cells = [refused, "", ""] if refused else ["" if p is None else f"{p:.6f}" for p in numbers]
            table.add_row("  ▸" if one.variant == slot.logged_variant else "", Text(one.variant), *map(Text, cells))
        console.print(table)
        if slot.recomputed_draw_point is not None:
            console.print(Text(f"  the draw fell on {slot.recomputed_draw_point:.6f}: {slot.recomputed_variant}"))
        for check in slot.checks:
            detail = f": {check.detail}" if check.detail else ""
            console.print(Text(f"  {check.part}: {check.verdict}{detail}"), soft_wrap=True)
    verdict = "it agrees with the log" if explained.agrees else "IT DOES NOT AGREE WITH THE LOG"
    console.print(Text(verdict, style="bold green" if explained.agrees else "bold red"))


def _print_json(record: Any) -> None:
    typer.echo(orjson.dumps(asdict(record), option=orjson.OPT_INDENT_2).decode())
