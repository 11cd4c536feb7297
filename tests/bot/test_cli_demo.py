"""`xiangxiao demo`: what it says, what it serves at once, how it ends."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from bot.cli_demo import base_url, welcome
from tests.demo_process import running_demo

EVERYWHERE = "0.0.0.0"  # noqa: S104 - only spoken of


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_page_opens_before_the_knowledge_is_ready_and_ctrl_c_ends_it(how: signal.Signals) -> None:
    async with running_demo("--port", "0") as demo, aiohttp.ClientSession() as session:
        await demo.until("请用浏览器打开")
        async with session.get(f"{demo.url}/demo/") as response:
            page = await response.text()
        assert (response.status, "正在准备知识库" in page) == (200, True)
        assert await demo.stop(how) == 0
    assert demo.said[-1] == "已停止，临时数据已删除。"
    assert not any("Traceback" in line for line in demo.said)


async def test_data_outlive_the_demo_when_a_folder_is_named(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with running_demo("--port", "0", "--data", str(tmp_path / "new" / "data")) as demo:
            await demo.until("请用浏览器打开")
            assert await demo.stop() == 0
        assert str(tmp_path) in demo.said[-1]
        keys.append((tmp_path / "new" / "data" / "demo-keys.json").read_text())
    assert keys[0] == keys[1]
    assert (tmp_path / "new" / "data" / "xiangxiao.db").stat().st_size > 0


async def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with running_demo("--port", str(port)) as demo:
            await demo.until(f"端口 {port} 已经被别的程序占用")
            assert await demo.end() == 1
    assert not any("Traceback" in line for line in demo.said)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        (EVERYWHERE, "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("::", "http://[::1]:8080"),
        ("localhost", "http://localhost:8080"),
    ],
)
def test_the_address_told_is_one_this_machine_can_open(host: str, url: str) -> None:
    assert base_url(host, 8080) == url
    assert f"{url}/demo/" in welcome(host, 8080)[0]


def test_others_on_the_network_are_warned_of() -> None:
    assert any("同一网络" in line for line in welcome(EVERYWHERE, 8080))
    assert not any("同一网络" in line for line in welcome("127.0.0.1", 8080))
