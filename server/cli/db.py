"""`elige db`: the database itself."""

import typer
from rich.console import Console
from rich.table import Column, Table

from server.cli.options import DB, AsJson, Db

_MINUTE = "%Y-%m-%d %H:%M"

app = typer.Typer(help="The database: upgrade its schema, check it, count what is in it.", no_args_is_help=True)


@app.command()
def upgrade(db: Db = DB) -> None:
    """Bring the schema up to what this program needs, or make a new database. All of it or nothing.

    Stop the servers of the database and keep a copy first: an older program can't open it any more.
    """
    from server.store.database import Database
    from server.store.migrate import HEAD

    database = Database(db, upgrade=True)
    before = database.schema_before
    database.close()
    if before is None:
        typer.echo(f"{db}: made with schema {HEAD}")
    elif before == HEAD:
        typer.echo(f"{db}: has schema {HEAD}, nothing to do")
    else:
        typer.echo(f"{db}: upgraded from schema {before} to {HEAD}")


@app.command()
def check(db: Db = DB) -> None:
    """Whether all that must hold does, one line a rule; exit status 1 where something is wrong. Reads every row."""
    from server.store.database import Database
    from server.store.inspection import check as run

    database = Database(db, create=False)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    sound = True
    with database.reading() as connection:
        for finding in run(connection):
            sound = sound and not finding.wrong
            console.print(
                f"WRONG {finding.rule}: {'; '.join(finding.wrong)}" if finding.wrong else f"ok    {finding.rule}"
            )
    database.close()
    if not sound:
        raise typer.Exit(1)


@app.command()
def stats(db: Db = DB, as_json: AsJson = False) -> None:
    """Rows and bytes of every table; rows, period and open windows of every campaign."""
    import orjson

    from server.store.database import Database
    from server.store.inspection import campaign_counts, table_sizes

    database = Database(db, create=False)
    with database.reading() as connection:
        sizes, counts = table_sizes(connection), campaign_counts(connection)
    database.close()
    if as_json:
        typer.echo(orjson.dumps({"tables": sizes, "campaigns": counts}).decode())
        return
    table = Table("table", Column("rows", justify="right"), Column("bytes", justify="right"), box=None)
    for size in sizes:
        table.add_row(size.table, str(size.rows), "" if size.size is None else str(size.size))
    Console().print(table)
    for one in counts:
        typer.echo(
            f"{one.campaign}: {one.decisions} decisions from {one.oldest:{_MINUTE}} to {one.newest:{_MINUTE}}, "
            f"{one.outcomes} outcomes, {one.rewards} rewards, {one.snapshots} snapshots, {one.open} windows open"
            + (f", the next closes {one.next_close:{_MINUTE}}" if one.next_close else "")
        )
