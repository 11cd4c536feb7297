"""A simulated year through all doors: no label and nothing of a child where it must not be. With a leak planted in any
channel, the same scan finds it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import METRICS
from bot.clock import FrozenClock
from bot.logs import configure_logs, get_logger
from bot.web.tables import Sheet, download_of
from tests import factories
from tests.handlers.conftest import COUNTS
from tests.handlers.protection.ledger import plain
from tests.handlers.protection.lived import Lived
from tests.handlers.protection.reading import Shown
from tests.handlers.protection.scan import Leak, Scanner, families_of
from tests.handlers.protection.village import NEAR, NOW, Village, running_village

pytestmark = [pytest.mark.slow, pytest.mark.engine("sqlite")]

SHORT, YEAR = 4, 300


@pytest.fixture
def log() -> io.StringIO:
    """Everything that is logged, as the product writes it."""
    written = io.StringIO()
    configure_logs(stream=written)
    return written


@pytest.fixture
async def bare_village(database_url: str, clock: FrozenClock, log: io.StringIO) -> AsyncIterator[Village]:
    """Nobody is on the register yet."""
    async with running_village(database_url, clock) as running:
        yield running


@pytest.mark.parametrize(
    ("days", "more"), [(SHORT, 0), pytest.param(YEAR, 6, marks=pytest.mark.trial)], ids=["short", "year"]
)
async def test_nothing_gets_out_in_a_year(
    bare_village: Village, log: io.StringIO, days: int, more: int, record_property: Callable[[str, object], None]
) -> None:
    """`more`: further children of the class."""
    for number in range(more):
        await further_child(bare_village, f"near{number}")
    lived = await Lived(bare_village, log).live(days)
    record_property(COUNTS, f"{days} days, {len(bare_village.children)} children: {dict(lived.counts)}")
    assert "\n".join(sorted({str(leak) for leak in lived.leaks})) == ""
    assert lived.counts["with something protected"] > 8 * days
    assert lived.counts["pushes"] >= days
    # Later in the year the check asks no more, and what is not asked is refused in words: scanned like the rest.
    refused = {"answered 409", "answered 422"} if days == YEAR else set[str]()
    assert {said for said in lived.counts if said.startswith("answered")} <= {"answered 303", "answered 200"} | refused
    planted = bare_village.ledger.fields
    assert {"record.finding", "record.sealed_part", "draft.body", "step.words", "report:closed.closing"} <= planted


async def further_child(village: Village, name: str) -> None:
    """To everybody what the near one is to them."""
    village.children[name] = await factories.make_pupil(
        village.home.room, name=f"{'甲乙丙丁戊己'[len(name) % 6]}子{name[-1]}号"
    )
    for viewer in village.viewers.values():
        near = viewer.columns[NEAR]
        viewer.columns[name] = "stranger" if near == "family" else near


# ------------------------------------------------------------------------------------------------------------- controls
class Channels:
    """A village with one planted word and a scanner, to leak it by every way there is."""

    def __init__(self, village: Village, scanner: Scanner, log: io.StringIO) -> None:
        self.village = village
        self.scanner = scanner
        self.log = log
        self.secret = village.ledger.text("record.sealed_part", NEAR, "不要外传")
        self.name = village.children[NEAR].name

    def answers(self, viewer: str, text: str, path: str = "/admin/contacts/today") -> list[Leak]:
        """What the scan finds when somebody is shown a text."""
        who, found = self.village.viewers[viewer], frozenset(self.village.ledger.found(text))
        return list(self.scanner.answers([Shown(who, "console", "GET", path, 200, text, found)]))


@pytest.fixture
async def channels(bare_village: Village, log: io.StringIO) -> Channels:
    return Channels(bare_village, Scanner(bare_village, await families_of(bare_village)), log)


def told(leaks: list[Leak]) -> set[tuple[str, str]]:
    return {(leak.channel, leak.what) for leak in leaks}


async def test_a_leak_on_a_page_is_found_by_what_it_is_and_to_whom(channels: Channels) -> None:
    assert channels.answers("keeper", "<title>家校联系</title><p>登记</p>") == []
    assert told(channels.answers("keeper", "<p>留守</p>")) == {("console", "留守")}
    assert told(channels.answers("lead", "<h3>留守</h3>", "/admin/contacts/register/1")) == set()
    assert told(channels.answers("lead", "<h3>留守</h3>", "/admin/pupils")) == {("console", "留守")}
    assert told(channels.answers("leader", f"<p>{channels.secret}</p>")) == {("console", "record.sealed_part of near")}
    assert channels.answers("lead", f"<p>{channels.secret}</p>") == []
    assert told(channels.answers("classmate", f"<p>{channels.name}</p>")) == {("console", f"{channels.name} of near")}


async def test_a_leak_in_a_title_an_address_or_a_name_of_a_file_is_found_whoever_looks(channels: Channels) -> None:
    page = f"<title>{channels.name}</title><a href='x'></a>"
    assert told(channels.answers("lead", page, "/admin/contacts/register/1")) == {("title", channels.name)}
    link = '<a href="/admin/contacts/register?group=left_behind">看</a>'
    assert ("address", "left_behind") in told(channels.answers("lead", link, "/admin/contacts/register"))
    head = "Content-Disposition: attachment; filename*=UTF-8''%E7%95%99%E5%AE%88.xlsx"
    assert ("file name", "留守") in told(channels.answers("lead", head, "/admin/contacts/register"))


async def test_a_leak_in_a_workbook_is_found(channels: Channels) -> None:
    sheet = Sheet(title="名单", head=("姓名", "类别"), rows=[("某人", "留守")], filters=[], exporter="王", at=NOW)
    book = plain((await download_of(sheet)).content)
    assert ("console", "留守") in told(channels.answers("leader", book, "/admin/pupils?export=xlsx"))


async def test_a_leak_in_a_line_of_the_log_is_found(channels: Channels) -> None:
    get_logger("tests.protection").info("careless", detail=f"{channels.name} 单亲 {channels.secret}")
    leaks = list(channels.scanner.bare("log", "the log", channels.log.getvalue()))
    assert told(leaks) >= {("log", channels.name), ("log", "单亲"), ("log", "record.sealed_part of near")}


async def test_a_leak_in_a_metric_is_found(channels: Channels) -> None:
    metrics = channels.village.town.app[METRICS]
    metrics.errors_total.labels("left_behind").inc()
    assert told(list(channels.scanner.bare("metric", "/metrics", metrics.render().decode()))) == {
        ("metric", "left_behind")
    }


async def test_a_leak_in_a_message_or_a_code_is_found_on_the_phone_and_on_the_wire(channels: Channels) -> None:
    town = channels.village.town
    viewer = channels.village.viewers["keeper"]
    await town.person(viewer.openid).says("你好")
    await town.app_wechat.send_text(viewer.openid, f"家校联系：{channels.name} 留守")
    [text] = [item.text for item in town.person(viewer.openid).screen if item.is_push]
    expected = {("push", "留守"), ("push", channels.name)}
    assert told(list(channels.scanner.pushes([(viewer.name, text)]))) == expected
    await town.app_wechat.create_qr_code(f"child:{channels.name}", timedelta(minutes=5))
    calls = [(call.path, call.body) for call in town.emulator.platform.calls]
    assert told(list(channels.scanner.wire(calls))) == {("wire", "留守"), ("wire", channels.name)}
    assert list(channels.scanner.wire([("/cgi-bin/tags/create", '{"tag": {"name": "留守"}}'.encode())])) != []


async def test_who_wrote_it_is_told_apart_from_who_keeps_contact_too(channels: Channels) -> None:
    """What the author reads is a leak where the other of the two reads it."""
    finding = channels.village.ledger.text("record.finding", NEAR, "都好", by="keeper")
    assert channels.answers("keeper", finding) == []
    assert told(channels.answers("author", finding)) == {("console", "record.finding of near")}
    former = replace(channels.village.viewers["keeper"], columns={NEAR: "former", "far": "away"})
    shown = Shown(former, "console", "GET", "/admin/", 200, finding, frozenset(channels.village.ledger.found(finding)))
    assert told(list(channels.scanner.answers([shown]))) == {("console", "record.finding of near")}
