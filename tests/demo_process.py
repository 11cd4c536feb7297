"""The demo as a visitor starts it: a process of its own."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.programs import PIPE, ROOT, STDOUT, Running, running

# The start is quick, the knowledge is not, least of all beside other work.
TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0


@dataclass
class DemoProcess:
    """A running demo and what it has said so far."""

    process: Process | Running
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the service, once it has been told."""
        return next(found[1] for line in self.said if (found := re.search(r"(http://\S+)/demo/", line)))

    async def until(self, words: str) -> str:
        """Reads on to the line with these words. Raises AssertionError when the demo ends before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line.rstrip("\n"))
                if words in line:
                    return line
        raise AssertionError(f"the demo ended; it said: {self.said}")

    async def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C does. Gives the exit code."""
        self.process.send_signal(how)
        return await self.end()

    async def end(self) -> int:
        """Waits for the demo to end by itself. Gives the exit code."""
        async with asyncio.timeout(STOP_TIMEOUT_S):
            rest, _ = await self.process.communicate()
        self.said += rest.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def running_demo(*options: str, is_fresh: bool = False) -> AsyncIterator[DemoProcess]:
    """`xiangxiao demo` with the options, gone at the end of the block whatever happened. `is_fresh`: as a visitor
    starts it, with an interpreter of its own, which takes seconds longer."""
    command = ("bot", "demo", *options)
    process: Process | Running
    if is_fresh:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command), cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
    else:
        process = await running(*command, stdout=PIPE, stderr=STDOUT)
    demo = DemoProcess(process)
    try:
        yield demo
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
