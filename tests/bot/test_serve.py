"""The commands as processes: what an operator types, sees and gets back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from bot.__main__ import build_cli
from tests.programs import PIPE, Program
from tests.servers import RedisServer, free_port
from tests.settings import MINIMAL, sqlite_url

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def environment(**sections: dict[str, Any]) -> dict[str, str]:
    data = {name: MINIMAL.get(name, {}) | sections.get(name, {}) for name in {*MINIMAL, *sections}}
    given = {f"XIANGXIAO_{s.upper()}__{key.upper()}": str(v) for s, keys in data.items() for key, v in keys.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XIANGXIAO_")}
    return kept | given | {"PYTHONPATH": str(ROOT)}


class Ended(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, env: dict[str, str]) -> Ended:
    with Program("bot", *arguments, env=env, stdout=PIPE, stderr=PIPE) as program, ThreadPoolExecutor(1) as others:
        assert program.stdout is not None
        assert program.stderr is not None
        complaints = others.submit(program.stderr.read)
        said = program.stdout.read()
        return Ended(program.wait(180), said.decode(), complaints.result().decode())


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


@contextmanager
def serving(
    env: dict[str, str], log: Path, *arguments: str, is_fresh: bool = False
) -> Iterator[subprocess.Popen[bytes] | Program]:
    """`is_fresh`: as an operator starts it, with an interpreter of its own."""
    command = ["bot", "serve", *arguments]
    process: subprocess.Popen[bytes] | Program
    with log.open("wb") as output:
        if is_fresh:
            process = subprocess.Popen([sys.executable, "-m", *command], env=env, cwd=ROOT, stderr=output)
        else:
            process = Program(*command, env=env, stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


# ------------------------------------------------------------------------------------------------------------- serving
def test_a_replica_listens_becomes_ready_and_stops_when_told(database_url: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    env = environment(server={"port": port}, database={"url": database_url})
    with serving(env, log, is_fresh=True) as process:
        wait_until(lambda: status(port, "/healthz") == 200)
        assert status(port, "/readyz") in {200, 503}
        wait_until(lambda: status(port, "/readyz") == 200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    said = [entry["event"] for entry in events(log)]
    assert said.index("listening") < said.index("knowledge_loaded") < said.index("stopping")
    assert "configuration" in said, "nobody is on duty, and that is said"


def test_a_replica_stops_at_once_while_the_knowledge_still_loads(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    env = environment(server={"port": port}, database={"url": database_url})
    with serving(env, tmp_path / "log") as process:
        wait_until(lambda: status(port, "/healthz") == 200)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_two_replicas_share_a_port_when_asked_to(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    env = environment(server={"port": port}, database={"url": database_url})
    with (
        serving(env, tmp_path / "one", "--reuse-port") as one,
        serving(env, tmp_path / "two", "--reuse-port") as two,
    ):
        for log in ("one", "two"):
            wait_until(lambda log=log: b"listening" in (tmp_path / log).read_bytes())  # type: ignore[misc]
        assert one.poll() is two.poll() is None
        assert status(port, "/healthz") == 200


def test_a_port_in_use_is_said_in_a_sentence(database_url: str, redis_server: RedisServer) -> None:
    result = run("serve", env=environment(server={"port": redis_server.port}, database={"url": database_url}))
    assert result.returncode == 1
    assert "端口" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_replica_does_not_start_on_an_older_database(tmp_path: Path) -> None:
    result = run("serve", env=environment(database={"url": sqlite_url(tmp_path / "empty.db")}))
    assert result.returncode == 1
    assert "xiangxiao migrate" in result.stderr
    assert "Traceback" not in result.stderr


# ------------------------------------------------------------------------------------------------------------ commands
def test_migrate_says_what_it_did_and_that_nothing_is_left(tmp_path: Path) -> None:
    env = environment(database={"url": sqlite_url(tmp_path / "new.db")})
    first, second = run("migrate", env=env), run("migrate", env=env)
    assert first.returncode == second.returncode == 0
    assert "已升级：0001_initial" in first.stdout
    assert second.stdout == "数据库已是最新。\n"


def test_check_config_names_every_fault(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[server]\nport = -1\n", "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XIANGXIAO_")}
    result = run("check-config", "--config", str(config), env=kept | {"PYTHONPATH": str(ROOT)})
    assert result.returncode == 1
    for key in ("server.port", "wechat.app_id", "wechat.encoding_aes_key", "security.session_key"):
        assert key in result.stderr
    assert "Traceback" not in result.stderr


def test_check_config_says_what_is_reachable_and_what_is_not(database_url: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    env = environment(
        database={"url": database_url},
        redis={"url": f"redis://127.0.0.1:{free_port()}/0"},
        wechat={"api_base": nowhere, "mode": "plain"},
    )
    result = run("check-config", env=env)
    assert result.returncode == 1
    assert "配置没有错" in result.stdout
    assert "提醒：明文模式" in result.stdout
    assert "✓ 数据库" in result.stdout
    assert "✗ Redis" in result.stdout
    assert "✗ 微信" in result.stdout


def test_wrong_use_has_its_own_exit_code() -> None:
    assert run("serve", "--nonsense", env=environment()).returncode == 2
    for arguments in (["nonsense"], ["serve", "--config", "/nowhere"], ["check-config", "x"]):
        assert CliRunner().invoke(build_cli(arguments), arguments).exit_code == 2, arguments


def test_the_overview_lists_the_commands() -> None:
    shown = CliRunner().invoke(build_cli(["--help"]), ["--help"]).output
    for command in ("serve", "migrate", "check-config", "ask"):
        assert f"  {command}" in shown
