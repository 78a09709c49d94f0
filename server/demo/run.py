"""The demo from start to end: a server, two campaigns, waves of visitors, an evaluation, and what to try next."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from elige.client import AsyncClient
from server.demo.files import campaign_file
from server.demo.judging import Judged, judge
from server.demo.visitors import Crowd, Wave, joined
from server.errors import InvalidRequest, Unavailable
from server.store.database import Database
from simulator import to_html
from simulator.worlds import World, landing, newsletter

WAVES, PAGE_VISITORS, RECIPIENTS = 16, 450, 350
LAST = 3
"""The waves at the end whose mean says how far learning came."""
MARK = "made-by-elige-demo.txt"
WINDOW = "1s"
EXPLORE = {"landing": 0.05, "newsletter": 0.1}
"""More than the default: in a few thousand visits, what is never shown can't be judged afterwards."""
READY_SECONDS = 60.0
LEARN_SECONDS = 60.0


def run(folder: Path, *, seed: int = 7) -> None:
    """Run the demo in `folder`. What an earlier demo left there goes first.

    Raises InvalidRequest for a folder with anything else in it, Unavailable when the server does not come up.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not (folder / MARK).exists():
            raise InvalidRequest(f"{folder} is not empty and no demo made it: name another --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Made by `elige demo`; the next one empties this folder.\n", encoding="utf-8")
    asyncio.run(_run(folder, seed))


async def _run(folder: Path, seed: int) -> None:
    console = Console(highlight=False)
    began = time.monotonic()
    page, letter = landing(), newsletter()
    database = f"sqlite:///{folder / 'elige.db'}"
    console.print(Text("1. A server, and two campaigns", style="bold"))
    async with _server(database, folder / "server.log") as address:
        console.print(f"   elige serves {database} on {address}; its own log: {folder / 'server.log'}")
        async with AsyncClient(address) as elige:
            for world in (page, letter):
                file = folder / f"{world.name}.yaml"
                file.write_text(campaign_file(world, window=WINDOW, explore=EXPLORE[world.name]), encoding="utf-8")
                put = await elige.put_campaign(file.read_text(encoding="utf-8"), file_name=str(file))
                console.print(f"   {file}: {put.result}; slots {', '.join(world.slots)}")
            await _show_one(console, elige, page)
            waves, letters = await _waves(console, elige, Crowd(page, seed=seed), Crowd(letter, seed=seed + 1))
            _conclude(console, page, waves)
            _conclude(console, letter, letters)
    # the server has stopped: what follows reads only the log it left
    console.print(Text("\n3. What would other policies have earned? From the log alone", style="bold"))
    store = Database(database)
    for world in (page, letter):
        evaluation, judged = judge(store, world)
        _print_judged(console, world, judged)
        console.print(Text(f"   {evaluation.verdict}"), soft_wrap=True)
        (folder / f"{world.name}.html").write_text(to_html(evaluation), encoding="utf-8")
    store.close()
    _next_steps(console, folder, page, time.monotonic() - began)


async def _show_one(console: Console, elige: AsyncClient, world: World) -> None:
    context, _ = next(world.contexts())
    decision = await elige.decide(world.name, context=context, dry_run=True)
    texts = " · ".join(f"{slot}: «{choice.content['text']}»" for slot, choice in decision.choices.items())
    console.print(Text(f"   a first visitor sees {texts}"), soft_wrap=True)


async def _waves(console: Console, elige: AsyncClient, page: Crowd, letter: Crowd) -> tuple[list[Wave], list[Wave]]:
    console.print(Text(f"\n2. {WAVES} waves of {PAGE_VISITORS} visitors and {RECIPIENTS} recipients", style="bold"))
    console.print(f"   Rewards are learned when their window of {WINDOW} closes; then the server swaps")
    console.print("   snapshots. Bars: ░ uniform, █ what was shown, · the best possible; then the")
    console.print("   mean click probability (known, as these worlds are) and the clicks that came.")
    console.print(f"   {'':22}{'landing page':28}newsletter")
    waves: list[Wave] = []
    letters: list[Wave] = []
    for number in range(1, WAVES + 1):
        before = {name: await _snapshot(elige, name) for name in (page.world.name, letter.world.name)}
        wave, sent = await asyncio.gather(page.visit(elige, PAGE_VISITORS), letter.receive(elige, RECIPIENTS))
        waves.append(wave)
        letters.append(sent)
        served_from = before[page.world.name] or "-"
        console.print(Text(f"   wave {number:2}  snapshot {served_from:>3} {_bar(wave):28}{_bar(sent)}"))
        if number < WAVES:
            await asyncio.gather(*(_newer_snapshot(elige, name, old) for name, old in before.items()))
    return waves, letters


def _bar(wave: Wave, width: int = 16) -> str:
    """The mean click probability of what was shown, between nothing and the best possible."""
    at = round(width * wave.served / wave.best)
    chance = round(width * wave.uniform / wave.best)
    bar = "".join("░" if i < min(chance, at) else "█" if i < at else "·" for i in range(width))
    return f"{bar} {wave.served:.3f} {wave.clicks:3}"


def _conclude(console: Console, world: World, waves: list[Wave]) -> None:
    last = joined(waves[-LAST:])
    console.print(
        Text(
            f"   {world.name}, last {LAST} waves: {last.served:.3f} clicks a visitor; uniform {last.uniform:.3f}, "
            f"best possible {last.best:.3f}: {last.closed:.0%} of the gap closed."
        ),
        soft_wrap=True,
    )


def _print_judged(console: Console, world: World, judged: list[Judged]) -> None:
    console.print(Text(f"   {world.name}, slot {list(world.slots)[-1]}", style="bold"))
    table = Table("policy", "estimate", "95 % interval", "truth", "", box=None, padding=(0, 1, 0, 2))
    for one in judged:
        if one.estimate is None:
            table.add_row(Text(one.name), "refused", "", f"{one.truth:.3f}", "")
        else:
            found, inside = one.estimate, "inside" if one.holds else "outside"
            interval = f"{found.low:.3f} to {found.high:.3f}"
            table.add_row(Text(one.name), f"{found.value:.3f}", interval, f"{one.truth:.3f}", inside)
    console.print(table)
    estimated = [one for one in judged if one.estimate]
    console.print(f"   {sum(one.holds for one in estimated)} of {len(estimated)} intervals hold the truth.")
    for one in judged:
        if one.refusal:
            console.print(Text(f"   {one.name}: refused, {one.refusal}"), soft_wrap=True)


def _next_steps(console: Console, folder: Path, page: World, seconds: float) -> None:
    elige = os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).name == "elige" else "elige"
    db = f"--db sqlite:///{folder / 'elige.db'}"
    judge_again = f"{elige} evaluate {db} --campaign {page.name} --slot {list(page.slots)[-1]}"
    console.print(Text(f"\nDone in {seconds:.0f} s. Try next:", style="bold"))
    for what, command in (
        ("see the figures", f"{(folder / page.name).absolute().as_uri()}.html"),
        ("judge another policy", f"{judge_again} --policy epsilon:epsilon=0.3"),
        ("only some visitors", f"{judge_again} --where \"country == 'MX'\""),
        ("serve it again", f"{elige} serve {db} --dev"),
        ("… and, beside it, ask", f"{elige} decide {page.name} --context country=MX --context source=instagram"),
        ("read the log with SQL", f"sqlite3 {folder / 'elige.db'} 'select * from choices limit 5'"),
    ):
        console.print(Text(f"   {what:24}{command}"), soft_wrap=True)


async def _snapshot(elige: AsyncClient, campaign: str) -> str:
    return (await elige.get_campaign(campaign)).snapshot


async def _newer_snapshot(elige: AsyncClient, campaign: str, old: str) -> None:
    """Wait until the server serves what the last wave taught. Raises Unavailable when it does not come."""
    for _ in range(int(LEARN_SECONDS / 0.1)):
        if await _snapshot(elige, campaign) != old:
            return
        await asyncio.sleep(0.1)
    raise Unavailable(f"no new snapshot of {campaign!r} within {LEARN_SECONDS:.0f} s: the server's log says why")


@contextlib.asynccontextmanager
async def _server(database: str, log: Path) -> AsyncIterator[str]:
    """`elige serve` as its own process on a free port; the address it says it listens on."""
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve"]
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, "--db", database, "--listen", "localhost:0", stdout=asyncio.subprocess.PIPE, stderr=errors
        )
        try:
            assert process.stdout is not None
            said = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
            match = re.search(r" on (\S+:\d+)", said.decode())
            if match is None:
                raise Unavailable(f"the server did not start; its log: {log}")
            yield match[1]
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            code = await process.wait()
    if code != os.EX_OK:
        raise Unavailable(f"the server ended with status {code}; its log: {log}")
