"""The servers that are measured, as processes of their own: the service as an operator starts it, and the baseline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO

from bot.emulator.platform import AccountKeys
from tests.bench.machine import Spent, resident_mib, spent
from tests.programs import PIPE, Program
from tests.servers import PostgresServer, RedisServer, free_port
from tests.settings import MINIMAL, sqlite_url

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60.0
# The knowledge is loaded by a thread beside whatever else this machine has to do.
READY_TIMEOUT_S = 240.0
_COUNT = re.compile(r"^(\w+?)(?:_total)?(\{[^}]*\})? (\S+)$", re.M)


def account(mode: str) -> AccountKeys:
    """The account in the settings of the tests, as WeChat knows it."""
    keys = MINIMAL["wechat"]
    return AccountKeys(
        app_id=keys["app_id"],
        app_secret=keys["app_secret"],
        token=keys["token"],
        encoding_aes_key=keys["encoding_aes_key"],
        mode=mode,
        original_id=keys["original_id"],
    )


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `listening_s`: from the start of its process to the first connection it accepted.

    `start` is what it had spent by then, `listening_mib` what it held.
    """

    name: str
    process: subprocess.Popen[bytes] | Program
    port: int
    listening_s: float
    start: Spent
    listening_mib: float

    @property
    def resident_mib(self) -> float:
        """MiB held at this moment."""
        return resident_mib(self.process.pid)

    def wait_until_ready(self) -> None:
        """Returns when it answers questions."""
        _wait(lambda: self._status("/readyz") == 200, self.process, READY_TIMEOUT_S)

    def counts(self, name: str) -> dict[str, float]:
        """The counter `xiangxiao_<name>_total` by its labels, as written in the metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as response:
            text = response.read().decode()
        return {found[2] or "": float(found[3]) for found in _COUNT.finditer(text) if found[1] == f"xiangxiao_{name}"}

    def _status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code


@contextlib.contextmanager
def echoing(name: str, mode: str, folder: Path) -> Iterator[Server]:
    """The baseline, listening."""
    port = free_port()
    with _running(name, ["tests.bench.echo", str(port), mode], port, _environment({}), folder) as server:
        yield server


@contextlib.contextmanager
def resting(name: str, stores: Stores, folder: Path) -> Iterator[Server]:
    """The baseline of the API, listening."""
    port = free_port()
    arguments = ["tests.bench.rest", str(port), stores.database_url]
    with _running(name, arguments, port, _environment({}), folder) as server:
        yield server


@contextlib.contextmanager
def constant(name: str, folder: Path) -> Iterator[Server]:
    """The baseline of a burst, listening."""
    port = free_port()
    with _running(name, ["tests.bench.constant", str(port)], port, _environment({}), folder) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a service keeps its things; migrated."""

    database_url: str
    redis_url: str


def embedded(folder: Path) -> Stores:
    """A SQLite file, and the stand-in for Redis inside the process."""
    return _migrated(Stores(sqlite_url(folder / f"{free_port()}.db"), "memory://"))


def external(postgres: PostgresServer, redis: RedisServer) -> Stores:
    """A fresh database, and a Redis."""
    return _migrated(Stores(asyncio.run(postgres.create(f"bench_{free_port()}")), redis.url))


def _migrated(stores: Stores) -> Stores:
    # This also leaves compiled bytecode behind, so that no start that is measured has to compile.
    with Program("bot", "migrate", env=_environment(_sections(stores, "safe", 0)), stdout=PIPE) as program:
        assert program.wait() == 0
    return stores


@contextlib.contextmanager
def serving(
    name: str,
    stores: Stores,
    mode: str,
    folder: Path,
    *,
    wechat: Mapping[str, object] | None = None,
    is_measured: bool = True,
) -> Iterator[Server]:
    """`xiangxiao serve`, listening; its log lies in the folder. `wechat`: more of that section of the settings;
    `is_measured`: started as an operator does, and not within a moment."""
    port = free_port()
    sections = _sections(stores, mode, port)
    sections["wechat"] |= wechat or {}
    environment = _environment(sections)
    with _running(name, ["bot", "serve"], port, environment, folder, is_measured=is_measured) as server:
        yield server


def _sections(stores: Stores, mode: str, port: int) -> dict[str, dict[str, Any]]:
    nobody = f"http://127.0.0.1:{free_port()}"
    return {
        "server": {"port": port},
        "database": {"url": stores.database_url},
        "redis": {"url": stores.redis_url},
        "wechat": {"mode": mode, "api_base": nobody},
    }


def _environment(sections: dict[str, dict[str, Any]]) -> dict[str, str]:
    data = {name: MINIMAL.get(name, {}) | sections.get(name, {}) for name in {*MINIMAL, *sections}}
    given = {f"XIANGXIAO_{s.upper()}__{key.upper()}": str(v) for s, keys in data.items() for key, v in keys.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XIANGXIAO_")}
    return kept | given | {"PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def _running(
    name: str, arguments: list[str], port: int, environment: dict[str, str], folder: Path, *, is_measured: bool = True
) -> Iterator[Server]:
    log = folder / f"{name.replace(' ', '-')}-{port}.log"
    with log.open("wb") as output:
        started = perf_counter()
        process = _started(arguments, environment, output, is_measured=is_measured)
    try:
        _wait(lambda: _accepts(port), process, START_TIMEOUT_S, pause_s=0.002)
        listening_s = perf_counter() - started
        yield Server(name, process, port, listening_s, spent(process.pid), resident_mib(process.pid))
    except ServerDied as error:
        raise ServerDied(f"{name}: {log.read_text('utf-8', errors='replace')[-2000:]}") from error
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _started(
    arguments: list[str], environment: dict[str, str], output: BinaryIO, *, is_measured: bool
) -> subprocess.Popen[bytes] | Program:
    if not is_measured:
        return Program(*arguments, env=environment, stdout=output, stderr=output)
    command = [sys.executable, "-m", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


class ServerDied(RuntimeError):
    """A server ended, or did not do in time what was waited for; the text is what it said."""


def _wait(
    condition: Callable[[], bool], process: subprocess.Popen[bytes] | Program, seconds: float, *, pause_s: float = 0.1
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerDied
        time.sleep(pause_s)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
