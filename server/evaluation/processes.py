"""The processes that compute for a server: started by it, ended with it or by it, and never in its way."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a result: a larger one could be told to nobody."""


async def start(*arguments: str, address: str, nice: int) -> asyncio.subprocess.Process:
    """`python ARGUMENTS` over pipes, told of the database at `address`; at a priority that is lower by `nice`.

    It should end when its standard input does: the server is gone then. Raises OSError where it can't be started: no
    memory, too many processes.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
        start_new_session=True,  # so that what it starts itself can be ended with it
        env={**os.environ, "ELIGE_DB": address},  # arguments are shown to everybody by `ps`
    )
    with suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    return process


def kill(process: asyncio.subprocess.Process) -> None:
    """With all that it has started. It writes nothing: there is nothing that it could leave half done."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
