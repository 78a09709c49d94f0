"""`elige campaign …`: against the database, or with --server against a running server."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from elige.client import Client
from server.cli.options import DB, Db, MaybeServer
from server.errors import InvalidRequest
from server.records import Snapshot, State

if TYPE_CHECKING:
    from server.store.campaigns import StoredCampaign

app = typer.Typer(help="Campaigns: apply a file, list, show, archive.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The campaign.", metavar="CAMPAIGN")]


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A YAML file with one or more campaigns.", exists=True, dir_okay=False)],
    db: Db = DB,
    server: MaybeServer = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only.")] = False,
    expected_version: Annotated[
        int | None, typer.Option(help="Refuse unless this version is in force; 0: must be new.")
    ] = None,
) -> None:
    """Check a campaign file and make it the newest version. All mistakes are reported at once."""
    from server.campaigns.file import load_campaigns

    text = file.read_text(encoding="utf-8")
    campaigns = load_campaigns(text, file_name=str(file))
    if expected_version is not None and len(campaigns) > 1:
        raise InvalidRequest(f"{file} holds {len(campaigns)} campaigns: --expected-version needs a file with one")
    if server:
        _apply_remotely(server, campaigns_of(text), file, dry_run=dry_run, expected_version=expected_version)
        return
    from server.campaigns.versions import put_campaign
    from server.store.database import Database

    database = Database(db)
    for campaign, (source, _) in zip(campaigns, campaigns_of(text), strict=True):
        put = put_campaign(
            database,
            campaign,
            source,
            now=datetime.now(UTC),
            expected_version=expected_version,
            dry_run=dry_run,
        )
        what = ("changed" if put.before else "created") if put.changed else "unchanged"
        typer.echo(_said(campaign.campaign, put.stored.version, what, dry_run=dry_run))


def _apply_remotely(
    server: str, sources: list[tuple[str, int]], file: Path, *, dry_run: bool, expected_version: int | None
) -> None:
    with Client(server) as client:
        for source, first_line in sources:
            put = client.put_campaign(
                source,
                file_name=str(file),
                first_line=first_line,
                dry_run=dry_run,
                expected_version=expected_version,
            )
            typer.echo(_said(put.campaign.name, put.campaign.version, put.result, dry_run=dry_run))


def campaigns_of(text: str) -> list[tuple[str, int]]:
    """The documents of a file as texts, each with the line at which it begins."""
    documents: list[tuple[str, int]] = []
    lines: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(keepends=True), "---"], start=1):
        if line.rstrip() == "---" or line.startswith("--- "):
            if any(one.strip() and not one.lstrip().startswith(("#", "%")) for one in lines):
                documents.append(("".join(lines), first))
            lines, first = [], number + 1
        else:
            lines.append(line)
    return documents


def _said(name: str, version: int, what: str, *, dry_run: bool) -> str:
    would = "would be " if dry_run and what != "unchanged" else ""
    return f"{name}: {would}{what}, version {version}"


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    version: int
    state: str
    snapshot: str
    policies: dict[str, str]


@app.command("list")
def list_campaigns(
    db: Db = DB,
    server: MaybeServer = None,
    everything: Annotated[bool, typer.Option("--all", help="Archived ones, too.")] = False,
) -> None:
    """The campaigns with their version, state, policies and newest snapshot.

    From the database it is also said where rewards wait and are not learned: elige doctor says why.
    """
    if server:
        with Client(server) as client:
            states = [state.value for state in State] if everything else ()
            lines = [
                _Line(
                    one.name,
                    one.version,
                    one.state,
                    f"{one.snapshot}, pinned" if one.snapshot_pinned else one.snapshot,
                    {p.slot: p.policy for p in one.policies},
                )
                for one in client.list_campaigns(states=states)
            ]
    else:
        from server.campaigns.catalogue import serve
        from server.store import campaigns as campaign_rows
        from server.store import training as training_rows
        from server.store.database import Database
        from server.training.doctor import stuck

        database, now = Database(db), datetime.now(UTC)
        with database.reading() as connection:
            stored = campaign_rows.newest_versions(connection)
            snapshots = training_rows.newest_snapshot_ids(connection)
        lines = [
            _Line(
                one.campaign,
                one.version,
                f"{one.state}, not learning" if stuck(database, one, now=now) else one.state,
                str(snapshots.get(one.campaign, ""))
                if one.pinned_snapshot is None
                else f"{one.pinned_snapshot}, pinned",
                {name: slot.policy_name for name, slot in serve(one, None).slots.items()},
            )
            for one in stored
            if everything or one.state != State.ARCHIVED
        ]
    if not lines:
        typer.echo("no campaigns yet; apply a file: elige campaign apply examples/first.yaml")
        return
    table = Table("campaign", "version", "state", "policy", "snapshot", box=None)
    for line in lines:
        policies = ", ".join(f"{slot}: {policy}" for slot, policy in line.policies.items())
        table.add_row(*(Text(cell) for cell in (line.name, str(line.version), line.state, policies, line.snapshot)))
    Console().print(table)


@app.command()
def show(
    campaign: Name,
    db: Db = DB,
    server: MaybeServer = None,
    version: Annotated[int | None, typer.Option(help="By default the newest.")] = None,
) -> None:
    """A campaign as it was written, with its policies' exact arguments and its newest snapshots."""
    console = Console(highlight=False, soft_wrap=True)
    if server:
        with Client(server) as client:
            shown = client.get_campaign(campaign, version=version)
        _show(console, shown.name, shown.version, shown.state, shown.created_at, shown.source)
        for one in shown.policies:
            _show_policy(console, one.slot, one.policy, one.arguments)
        pinned = ", pinned: it serves whatever is learned" if shown.snapshot_pinned else ""
        console.print(Text(f"# snapshot: {shown.snapshot or 'none yet'}{pinned}"))
        return
    from server.store import campaigns as campaign_rows
    from server.store import training as training_rows
    from server.store.database import Database

    database = Database(db)
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign, version)
        snapshots = training_rows.list_snapshots(connection, campaign, before=None, limit=5)
    _show(console, stored.campaign, stored.version, stored.state, stored.created_at, stored.source)
    for slot, policy, arguments in _policies(stored):
        _show_policy(console, slot, policy, arguments)
    if stored.pinned_snapshot is not None:
        console.print(Text(f"# pinned: snapshot {stored.pinned_snapshot} serves, whatever is learned"))
    if not snapshots:
        console.print("# snapshots: none yet")
    for snapshot in snapshots:
        learned = (
            f"lineage {snapshot.lineage}, trained through {snapshot.trained_through}, {snapshot.examples} examples"
        )
        console.print(Text(f"# snapshot {snapshot.id}: {learned}, {snapshot.created_at:%Y-%m-%d %H:%M:%S} UTC"))
    for line in _findings(stored, snapshots[0]) if snapshots and snapshots[0].intact else ():
        console.print(Text(f"# {line}"))


def _show(console: Console, name: str, version: int, state: str, created_at: Any, source: str) -> None:
    console.print(Text(f"# {name}, version {version}, {state}, made {created_at:%Y-%m-%d %H:%M:%S} UTC"))
    console.print(Text(source.rstrip()))
    console.print("# policies in force:")


def _show_policy(console: Console, slot: str, policy: str, arguments: str) -> None:
    first, *learners = arguments.splitlines() or [""]
    console.print(Text(f"#   {slot}: {policy}  {first}"))
    for line in learners:  # those that auto judges
        console.print(Text(f"#     {line}"))


def _policies(stored: "StoredCampaign") -> list[tuple[str, str, str]]:
    from policies.base import Learner
    from server.campaigns.catalogue import serve

    return [
        (name, slot.policy_name, slot.policy.arguments if isinstance(slot.policy, Learner) else "")
        for name, slot in serve(stored, None).slots.items()
    ]


def _findings(stored: "StoredCampaign", newest: Snapshot) -> list[str]:
    """What the learners of the newest snapshot found out, slot by slot."""
    from policies.base import Telling
    from server.campaigns.catalogue import serve

    return [
        f"{name}, {line}"
        for name, slot in serve(stored, newest).slots.items()
        if isinstance(slot.policy, Telling)
        for line in slot.policy.findings()
    ]


@app.command()
def archive(campaign: Name, db: Db = DB, server: MaybeServer = None) -> None:
    """End a campaign for good. What is in the log can still be evaluated."""
    if server:
        with Client(server) as client:
            version = client.set_campaign_state(campaign, "archived").version
    else:
        from server.campaigns.versions import set_state
        from server.store.database import Database

        version = set_state(Database(db), campaign, State.ARCHIVED, now=datetime.now(UTC)).version
    typer.echo(f"{campaign}: archived, version {version}")


@app.command()
def schema() -> None:
    """The JSON Schema of campaign files, for editors."""
    from server.campaigns.schema import schema_text

    typer.echo(schema_text(), nl=False)
