"""Papers for a waiver as pictures sent into the chat, over the whole application and WeChat's API beside it."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from PIL import Image

from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.storage.files import MOST_UPLOADED
from bot.storage.models import StoredFile
from bot.wechat.client import MEDIA_GET
from handlers.accounts.models import Guardianship
from handlers.after_school.domain.waivers import MOST_PICTURES, WaiverState
from handlers.after_school.models import AfterSchoolWaiver
from handlers.support import texts as support_texts
from tests import factories
from tests.handlers.after_school.test_waiver_doors import WAIVERS, Family, family, family_of
from tests.handlers.after_school.waivers_stage import png
from tests.town import running_town

__all__ = ["family"]

MOTHER, OTHER = "demo_g_000001", "demo_g_000002"


async def asked(family: Family) -> Follower:
    """The mother is where pictures are awaited."""
    phone = family.town.person(MOTHER)
    for word in ("申请减免", "1", "确认"):
        await phone.says(word)
    return phone


async def sent(phone: Follower, content: bytes = b"") -> str:
    """What she reads after a picture."""
    return await phone.sends_image(content or png()) or ""


def fetched(family: Family) -> int:
    """How often WeChat was asked for a picture."""
    return len(family.town.emulator.platform.calls_of(MEDIA_GET))


async def state() -> WaiverState:
    return (await AfterSchoolWaiver.get()).state


async def kept() -> int:
    return await StoredFile.all().count()


def located() -> bytes:
    """A photo that knows where it was taken, larger than is kept."""
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x010F], exif[0x8825] = "HUAWEI", {1: "N", 2: (33.0, 57.0, 1.0)}
    Image.new("RGB", (3000, 2000), "white").save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def claiming(side: int) -> bytes:
    """A few bytes that claim to hold a huge picture."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


# ------------------------------------------------------------------------------------------------------------- the way
async def test_from_asking_to_the_school_without_leaving_the_chat(family: Family) -> None:
    phone = await asked(family)
    said = phone.last_reply or ""
    for word in ("直接发到这里", f"最多{MOST_PICTURES}张", "提交", "小程序", "班主任", "聊天记录里也会留一份", "长按"):
        assert word in said
    assert "先交一张证明材料" in (await phone.says("提交") or "")
    assert "有1张照片" in await sent(phone, located())
    assert "有2张照片" in await sent(phone)
    assert await state() is WaiverState.DRAFT
    said = await phone.says("提交") or ""
    assert "已经交给学校" in said
    assert "长按删掉" in said
    assert await state() is WaiverState.SUBMITTED
    assert fetched(family) == 2
    assert "图片我看不懂" in await sent(phone), "the way is over"
    assert (await kept(), fetched(family)) == (2, 2)


async def test_what_is_kept_is_made_anew_and_encrypted(family: Family) -> None:
    phone = await asked(family)
    await sent(phone, located())
    row = await StoredFile.get()
    content = bytes(row.content)
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, max(picture.size), dict(picture.getexif())) == ("JPEG", 1600, {})
    assert content not in await _on_disk(family)


async def _on_disk(family: Family) -> bytes:
    """What the table holds, as it lies there."""
    from tortoise.connection import get_connection

    rows = await get_connection("default").execute_query_dict("SELECT content FROM stored_file")
    return b"".join(bytes(row["content"]) for row in rows)


async def test_later_the_word_leads_back(family: Family) -> None:
    phone = await asked(family)
    assert "还没有交上去" in (await phone.says("办理结果") or "")
    family.town.clock.advance(timedelta(minutes=31))
    assert await sent(phone) == support_texts.PICTURE
    assert (await kept(), fetched(family)) == (0, 0)
    assert "回复“交材料”" in (await phone.says("办理结果") or "")
    assert "直接发到这里" in (await phone.says("交材料") or "")
    assert "有1张照片" in await sent(phone)
    assert "已经交给学校" in (await phone.says("好了") or "")
    assert "直接发到这里" in (await phone.says("补材料") or "")
    assert "已经添到您交的申请里，现在有2张" in await sent(phone)
    assert "已经交给学校" in (await phone.says("提交") or "")
    assert await state() is WaiverState.SUBMITTED


async def test_other_words_meanwhile_are_answered_as_ever(family: Family) -> None:
    phone = await asked(family)
    assert "王小明" in (await phone.says("办理结果") or "")
    assert "有1张照片" in await sent(phone)
    assert (await phone.says("退出") or "") != ""
    assert await sent(phone) == support_texts.PICTURE
    assert await kept() == 1
    assert "长按删掉" in (await phone.says("撤回申请") or "")
    assert await kept() == 0
    assert "没有等着交材料" in (await phone.says("交材料") or "")


# -------------------------------------------------------------------------------------------------------- once, and six
async def test_one_picture_delivered_three_times_is_kept_once(family: Family) -> None:
    phone = await asked(family)
    assert "有1张照片" in (await phone.sends_image(png(), copies=3) or "")
    assert await kept() == 1


async def test_nine_at_the_same_moment_are_six(family: Family) -> None:
    phone = await asked(family)
    said = await asyncio.gather(*(sent(phone) for _ in range(9)))
    assert await kept() == MOST_PICTURES
    assert sum("收到了" in each for each in said) == MOST_PICTURES
    assert sum(f"最多交{MOST_PICTURES}张照片" in each for each in said) == 9 - MOST_PICTURES
    assert "已经交给学校" in (await phone.says("提交") or "")


# ------------------------------------------------------------------------------------------------------------- WeChat
@pytest.mark.parametrize("trouble", ["drop", "lose", "break_server"])
async def test_without_wechat_it_is_said_and_nothing_is_lost(family: Family, trouble: str) -> None:
    phone, troubles = await asked(family), family.town.emulator.platform.troubles
    assert "有1张照片" in await sent(phone)
    getattr(troubles, trouble)(MEDIA_GET, times=None)
    said = await sent(phone)
    assert "没有取到" in said
    assert "再发一次" in said
    assert (await kept(), await state()) == (1, WaiverState.DRAFT)
    troubles.clear()
    assert "有2张照片" in await sent(phone)


@pytest.mark.parametrize(("errcode", "word"), [(40007, "重新拍一张"), (45009, "没有取到"), (-1, "没有取到")])
async def test_what_wechat_answers_is_told_in_words(family: Family, errcode: int, word: str) -> None:
    phone = await asked(family)
    family.town.emulator.platform.troubles.fail(MEDIA_GET, errcode, times=2)
    assert word in await sent(phone)
    assert await kept() == 0


@pytest.fixture
async def hurried(database_url: str, clock: FrozenClock) -> AsyncIterator[Family]:
    """Where a reply that takes half a second follows later."""
    async with running_town(database_url, clock, wechat={"reply_budget_s": 0.5}) as town:
        yield await family_of(town, clock)


async def test_a_slow_picture_is_answered_later_and_holds_nobody_up(hurried: Family) -> None:
    phone = await asked(hurried)
    hurried.town.emulator.platform.troubles.delay(MEDIA_GET, 3)
    assert await sent(phone) == ""
    said = await phone.says("交材料") or ""
    assert "直接发到这里" in said, "neither the person nor the database is locked meanwhile"
    for _ in range(200):
        await hurried.town.deliver()
        if "有1张照片" in (phone.last_reply or ""):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the answer never came")


# ---------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7 \n" + bytes(2000), "打不开"),
        ("<html>登录</html>".encode(), "打不开"),
        (png()[:60], "打不开"),
        (b"\xff\xd8\xff\xe0" + bytes(MOST_UPLOADED), "太大"),
        (claiming(9000), "太大"),
        (claiming(60_000), "太大"),
    ],
    ids=["pdf", "page", "cut_off", "too_heavy", "too_many_pixels", "bomb"],
)
async def test_what_is_no_picture_or_too_large_is_refused(family: Family, content: bytes, word: str) -> None:
    phone = await asked(family)
    said = await sent(phone, content)
    assert word in said
    assert "发" in said
    assert (await kept(), await state()) == (0, WaiverState.DRAFT)
    assert "有1张照片" in await sent(phone), "the step is still there"


async def test_a_picture_of_somebody_else_goes_nowhere(family: Family) -> None:
    await asked(family)
    father = await factories.make_person()
    await factories.make_guardianship(await factories.make_pupil(await factories.make_class()), father)
    await factories.make_identity(OTHER, father)
    for openid in (OTHER, "demo_g_000099"):
        assert await sent(family.town.person(openid)) == support_texts.PICTURE
        said = await family.town.person(openid).says("交材料") or ""
        assert "直接发到这里" not in said
        assert await sent(family.town.person(openid)) == support_texts.PICTURE
    assert (await kept(), fetched(family)) == (0, 0)


async def test_whoever_is_no_guardian_any_more_adds_nothing(family: Family) -> None:
    phone = await asked(family)
    await Guardianship.filter(person_id=family.mother.id).delete()
    assert "收到了" not in await sent(phone)
    assert "已经交给学校" not in (await phone.says("提交") or "")
    assert (await kept(), await state()) == (0, WaiverState.DRAFT)


@pytest.mark.parametrize("further", [WaiverState.CHECKED, WaiverState.WITHDRAWN, WaiverState.REFUSED])
async def test_a_case_that_has_gone_on_takes_no_more(family: Family, further: WaiverState) -> None:
    phone = await asked(family)
    hands = {} if further is WaiverState.WITHDRAWN else {"checked_by": uuid4()}
    await AfterSchoolWaiver.all().update(state=further, **hands)
    assert "不能再添照片" in await sent(phone)
    assert await kept() == 0
    assert await sent(phone) == support_texts.PICTURE


async def test_a_picture_through_both_doors_is_counted_together(family: Family) -> None:
    phone = await asked(family)
    await sent(phone)
    own = (await family.ask("GET", WAIVERS))[1]["items"][0]
    assert (own["status"], own["pictures"]) == ("draft", 1)
    status, submitted = await family.ask("POST", f"{WAIVERS}/{own['id']}/submission")
    assert (status, submitted["status"]) == (200, "submitted")
    assert "已经添到您交的申请里" in await sent(phone)
