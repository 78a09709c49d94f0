"""`elige observe`: a choice that another system made, told by hand."""

from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from elige.client import Candidate, Client, ObserveArguments
from server.cli.options import SERVER, AsJson, Server, read_pair, read_pairs, read_time


def observe(
    campaign: Annotated[str, typer.Argument(help="The campaign.", metavar="CAMPAIGN")],
    slot: Annotated[list[str], typer.Option(help="What was chosen; repeat for several.", metavar="SLOT=VARIANT")],
    propensity: Annotated[
        list[str] | None, typer.Option(help="How probable that was, where known.", metavar="SLOT=NUMBER")
    ] = None,
    eligible: Annotated[
        list[str] | None,
        typer.Option(help="Could have been chosen; repeat for all. By default every variant.", metavar="SLOT=VARIANT"),
    ] = None,
    candidate: Annotated[list[str] | None, typer.Option(help="There was also this text.", metavar="SLOT=TEXT")] = None,
    person: Annotated[str | None, typer.Option(help="The person's pseudonymous key.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="name=value; repeat for several.", metavar="K=V")] = None,
    label: Annotated[list[str] | None, typer.Option(help="For the log, never a feature.", metavar="K=V")] = None,
    request_id: Annotated[str | None, typer.Option(help="Makes the call safe to repeat.")] = None,
    at: Annotated[str | None, typer.Option(help="When it was chosen; by default now.", metavar="TIME")] = None,
    server: Server = SERVER,
    as_json: AsJson = False,
) -> None:
    """Tell of a choice that another system made, to learn from it or to judge others by it.

    It is learned where learn_from in the campaign file names observed. Tell its outcomes with elige reward.
    """
    eligible_of: dict[str, list[str]] = {}
    for name, variant in (read_pair(pair, "--eligible", "SLOT=VARIANT") for pair in eligible or ()):
        eligible_of.setdefault(name, []).append(variant)
    brought: dict[str, list[Candidate]] = {}
    for name, text in (read_pair(pair, "--candidate", "SLOT=TEXT") for pair in candidate or ()):
        brought.setdefault(name, []).append({"id": text, "content": {"text": text}})
    told: ObserveArguments = {
        "propensities": dict(_propensity(pair) for pair in propensity or ()),
        "eligible": eligible_of,
        "candidates": brought,
        "person": person or "",
        "context": read_pairs(context or (), "--context"),
        "labels": read_pairs(label or (), "--label"),
        "request_id": request_id or "",
    }
    if (chosen_at := read_time(at, "--at")) is not None:
        told["at"] = chosen_at
    chosen = dict(read_pair(pair, "--slot", "SLOT=VARIANT") for pair in slot)
    by_slot = {"--propensity": told["propensities"], "--eligible": eligible_of, "--candidate": brought}
    for option, slots in by_slot.items():
        if other := [name for name in slots if name not in chosen]:
            raise typer.BadParameter(f"{other[0]!r}: expected --slot {other[0]}=VARIANT beside it", param_hint=option)
    with Client(server) as client:
        decision = client.observe(campaign, chosen, **told)
    if as_json:
        typer.echo(orjson.dumps(asdict(decision), option=orjson.OPT_INDENT_2).decode())
        return
    for choice in decision.choices.values():
        known = "unknown" if choice.propensity is None else f"{choice.propensity:g}"
        typer.echo(f"{choice.slot}: {choice.variant} ({choice.reason}, propensity {known})")
    if decision.ignored_context:
        ignored = ", ".join(decision.ignored_context)
        typer.echo(f"ignored: {ignored} (not declared in the campaign, or of another type)")
    repeated = ", the same answer as before" if decision.kind == "repeated" else ""
    typer.echo(f"decision {decision.id}: window closes {decision.window_closes_at:%Y-%m-%d %H:%M:%S} UTC{repeated}")


def _propensity(pair: str) -> tuple[str, float]:
    slot, number = read_pair(pair, "--propensity", "SLOT=NUMBER")
    try:
        return slot, float(number)
    except ValueError as error:
        raise typer.BadParameter(f"{pair!r}: expected SLOT=NUMBER", param_hint="--propensity") from error
