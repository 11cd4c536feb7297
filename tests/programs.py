"""Programs in processes of their own that start within a moment: they are forked from one that has imported the
product already, where a new interpreter would spend seconds on that again.

They are processes like any other: with an environment, arguments, streams and signals, and an end of their own. What a
program does before the product is imported is not tried by them: test_serve.py starts some as an operator does.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

PIPE, STDOUT = subprocess.PIPE, subprocess.STDOUT
Output = BinaryIO | int | None
ROOT = Path(__file__).parents[1]
# What every program needs sooner or later.
_KNOWN = [
    "bot.app",
    "bot.cli_serve",
    "bot.cli_worker",
    "bot.cli_rehearse",
    "bot.cli_demo",
    "tests.settings",
    "tests.factories",
]


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_KNOWN)
    return context


def _number_of(output: Output, otherwise: int) -> int:
    return otherwise if output is None or isinstance(output, int) else output.fileno()


class _Streams:
    """Numbers of streams, which are others on the other side."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = list(numbers)

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, tuple(DupFd(number) for number in self.numbers)


def _arrived(*handed: Any) -> _Streams:
    return _Streams([each.detach() for each in handed])


def _run(module: str, arguments: Sequence[str], env: Mapping[str, str], cwd: str, streams: _Streams) -> None:
    for number, own in enumerate(streams.numbers):
        os.dup2(own, number)
        os.close(own)
    # The one it was given by its parents leads nowhere.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as it lives
    os.environ.clear()  # noqa: TID251 - its own
    os.environ.update(env)  # noqa: TID251
    os.chdir(cwd)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


class Program:
    """One that runs: as `subprocess.Popen`, whose words it uses."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        stdin: int | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        """A module run as `python -m` does. Where nothing is said it reads nothing, and writes where the test does."""
        self.stdin: BinaryIO | None = None
        if stdin == PIPE:
            source, own = os.pipe()
            self.stdin = os.fdopen(own, "wb", buffering=0)
        else:
            source = os.open(os.devnull, os.O_RDONLY)
        handed = [source, _number_of(stdout, 1), _number_of(stderr, 2)]
        passed = [source]
        outputs: list[BinaryIO | None] = []
        for number, wanted in ((1, stdout), (2, stderr)):
            if wanted != PIPE:
                outputs.append(None)
                continue
            own, handed[number] = os.pipe()
            outputs.append(os.fdopen(own, "rb"))
            passed.append(handed[number])
        self.stdout, self.stderr = outputs
        if stderr == STDOUT:
            handed[2] = handed[1]
        environment = dict(os.environ if env is None else env)  # noqa: TID251
        self._process: ForkServerProcess = _context().Process(
            target=_run, args=(module, arguments, environment, str(cwd), _Streams(handed)), daemon=True
        )
        self._process.start()
        for each in passed:
            os.close(each)

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """At once, whatever it does."""
        self._process.kill()

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("program", timeout or 0.0)
        return self.returncode

    @property
    def sentinel(self) -> int:
        """What becomes readable when it ends."""
        return self._process.sentinel

    def close(self) -> None:
        """The streams."""
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        self.wait()
        self.close()


class Running:
    """As `asyncio.subprocess.Process`, whose words it uses, over a Program."""

    def __init__(
        self, program: Program, stdin: asyncio.StreamWriter | None, *outputs: asyncio.StreamReader | None
    ) -> None:
        self._program = program
        self.stdin = stdin
        self.stdout, self.stderr = outputs
        self.pid, self.kill, self.terminate = program.pid, program.kill, program.terminate
        self.send_signal = program.send_signal

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._program.returncode

    async def wait(self) -> int:
        """Its exit code."""
        if self.returncode is None:
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            # A number of our own: many may wait for the same end.
            watched = os.dup(self._program.sentinel)
            loop.add_reader(watched, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
        return self._program.wait()

    async def communicate(self, said: bytes = b"") -> tuple[bytes, bytes]:
        """Says this and nothing more, and reads until it ends."""
        if self.stdin is not None:
            self.stdin.write(said)
            self.stdin.close()
        outputs = await asyncio.gather(_all_of(self.stdout), _all_of(self.stderr))
        await self.wait()
        return outputs[0], outputs[1]


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream is not None else b""


async def running(module: str, *arguments: str, **wanted: Any) -> Running:
    """A Program of the same arguments, for tests that do other things meanwhile."""
    program = await asyncio.to_thread(Program, module, *arguments, **wanted)
    loop = asyncio.get_running_loop()
    writer: asyncio.StreamWriter | None = None
    if program.stdin is not None:
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, program.stdin)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
    return Running(program, writer, await _reader(program.stdout), await _reader(program.stderr))


async def _reader(stream: BinaryIO | None) -> asyncio.StreamReader | None:
    if stream is None:
        return None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    return reader
