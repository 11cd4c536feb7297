"""`xiangxiao demo`: what it says, what it serves at once, how it ends."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from bot.cli_demo import announce, base_url, cast_of, welcome
from bot.clock import FrozenClock
from bot.config import Settings
from bot.demo_township.staging import Staged, stage
from bot.emulator.phone.personas import NEWCOMER, PARENT, PERSONAS
from bot.emulator.phone.phones import Desk
from bot.library import Library
from tests.bot.emulator.phone_stage import open_stage
from tests.demo_process import running_demo

EVERYWHERE = "0.0.0.0"  # noqa: S104 - only spoken of


async def test_the_first_page_opens_before_the_knowledge_is_ready_and_ctrl_c_ends_it() -> None:
    async with running_demo("--port", "0", is_fresh=True) as demo, aiohttp.ClientSession() as session:
        await demo.until("请用浏览器打开")
        async with session.get(f"{demo.url}/demo/") as response:
            page = await response.text()
        assert (response.status, "正在准备知识库" in page) == (200, True)
        entrance = await demo.until("管理后台")
        assert f"{demo.url}/admin/" in entrance
        assert all(word in page for word in ("demo-admin", entrance.split("密码 ")[1].strip()))
        assert await demo.stop(signal.SIGINT) == 0
    assert demo.said[-1] == "已停止，临时数据已删除。"
    assert not any("Traceback" in line for line in demo.said)


async def test_data_outlive_the_demo_when_a_folder_is_named(tmp_path: Path) -> None:
    """That they are used again is seen in a browser: tests/browser/test_demo.py."""
    folder = tmp_path / "new" / "data"
    async with running_demo("--port", "0", "--data", str(folder)) as demo:
        await demo.until("请用浏览器打开")
        assert await demo.stop(signal.SIGTERM) == 0
    assert str(tmp_path) in demo.said[-1]
    assert not any("Traceback" in line for line in demo.said)
    assert (folder / "demo-keys.json").is_file()
    assert (folder / "xiangxiao.db").stat().st_size > 0


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


async def _knowledge_is(
    clock: FrozenClock, log: Path, build: Callable[[], object], capsys: pytest.CaptureFixture[str]
) -> tuple[str, str, str]:
    """The start page and a phone after the first load; and what the terminal was told."""
    library = Library(build)
    async with open_stage(clock) as opened:
        opened.phones.ready.clear()
        library.start()
        await announce(library, opened.phones, log)
        pages = []
        for path in ("/demo/", f"/demo/phone/{PARENT}"):
            async with opened.session.get(opened.url + path) as response:
                pages.append(await response.text())
        await library.close()
    told = capsys.readouterr()
    return pages[0], pages[1], told.out + told.err


async def test_faulty_content_is_told_with_the_place_of_the_log(
    clock: FrozenClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def faulty() -> object:
        raise ValueError("content/plan.yaml:3")

    log = tmp_path / "demo.log"
    for said in await _knowledge_is(clock, log, faulty, capsys):
        assert "知识内容有错" in said
        assert str(log) in said
        assert "正在准备" not in said


async def test_sound_content_is_told_as_ready(
    clock: FrozenClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, phone, told = await _knowledge_is(clock, tmp_path / "demo.log", object, capsys)
    assert "知识库准备好了" in told
    assert not any(word in page for page in (start, phone) for word in ("正在准备", "知识内容有错"))


async def test_phones_go_on_without_knowledge(clock: FrozenClock) -> None:
    async with open_stage(clock) as opened:
        opened.phones.ready.clear()
        opened.phones.open_when_ready()
        opened.phones.give_up("坏了")
        await opened.phones.chat(PARENT).follower.screen.wait_beyond(0, 5)
        assert opened.phones.chat(PARENT).follower.is_following


@pytest.fixture
async def staged(settings: Settings, clock: FrozenClock) -> Staged:
    return await stage(settings, clock)


async def test_the_personas_are_the_people_of_the_township(staged: Staged) -> None:
    cast = {persona.openid: persona for persona in cast_of(staged)}
    people = {person.openid: person for person in staged.plan.persons}
    assert list(cast) == [persona.openid for persona in PERSONAS]
    for openid, persona in cast.items():
        if openid != NEWCOMER:
            assert people[openid].name[0] == persona.name[0]
        assert persona.tip
    child = staged.plan.children("g/000001")[0]
    assert child.name in cast[PARENT].about
    assert "绑定" in cast[NEWCOMER].questions[0]


def test_the_terminal_tells_the_way_into_the_console() -> None:
    lines = welcome("127.0.0.1", 8080, Desk("/admin/", "somebody", "open-sesame", lambda: "123456"))
    assert any("http://127.0.0.1:8080/admin/" in line and "somebody" in line for line in lines)
