"""The play's days: leave, rosters, a missing child, places that go down the line, month's ends and the settlement."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.clock import SHANGHAI
from bot.config import Settings, WeChat
from handlers.accounts.models import Person
from handlers.after_school.texts.months import yuan
from tests.knowledge.content import write
from tests.programs import PIPE, running
from tests.scenarios.term.book import EARLY, HERE, LEAVE, MISSING
from tests.scenarios.term.cast import Family, rows_of
from tests.scenarios.term.play import BALL, BRUSH, Play, at
from tests.settings import write_config
from tests.town import content

_MARKS = re.compile(r'<select id="f-p-([0-9a-f-]{36})".*?</select>', re.DOTALL)
_CHOSEN = re.compile(r'value="(\w+)" selected')


def giver(play: Play, title: str, room: int | None) -> Person:
    """Who takes the roster."""
    return play.cast.heads[room] if room is not None else play.cast.staff[play.teacher(title, None)]


# ---------------------------------------------------------------------------------------------------------- a usual day
async def school_day(play: Play, day: date, *, missing: bool = False) -> None:
    """Leave in the morning, rosters in the afternoon."""
    play.set(at(day, 8))
    groups = play.book.groups(day)
    expected = sorted({child for _, _, there in groups for child in there})
    for child in expected:
        family = play.cast.families[child]
        if family.openid and play.dice.random() < 0.06:
            await ask_leave(play, family, day)
    play.set(at(day, 17, 45))
    for title, room, there in groups:
        if (title, day) == (BRUSH, play.forgotten):
            continue
        if (title, day) == (BALL, play.off):
            await call_off(play, title, day)
        else:
            await take(play, title, room, there, day, missing=missing and title == BRUSH)
    await play.cast.tick()


async def ask_leave(play: Play, family: Family, day: date) -> None:
    """In the chat or in the mini-program."""
    if family.way == "mini":
        body = {"student_id": family.child_id, "first_day": day.isoformat(), "last_day": day.isoformat()}
        status, answer = await play.cast.call(family, "POST", "/leaves", body)
        assert status == 201, answer
    else:
        assert "请好假" in await play.cast.says(family.openid, "请假", "今天", "是")
    play.book.away.add((family.number, day))


async def take(play: Play, title: str, room: int | None, there: set[int], day: date, *, missing: bool = False) -> None:
    """The page shows whom the book expects and who has leave; it is handed in with what was seen."""
    path = f"/after-school/rosters/{play.ids[title]}"
    own = {} if room is None else {"class": str(play.cast.rooms[room].id)}
    query = f"?day={day}" + (f"&class={own['class']}" if own else "")
    async with play.cast.desk(giver(play, title, room), path + query) as browser:
        page = browser.page
        chosen = {found[1]: _CHOSEN.search(found[0])[1] for found in _MARKS.finditer(page)}  # type: ignore[index]
        shown = {play.cast.by_child(child).number: mark for child, mark in chosen.items()}
        away = {child: LEAVE if (child, day) in play.book.away else HERE for child in there}
        assert shown == away, (title, day)
        leaving = sum(mark == LEAVE for mark in away.values())
        assert f"应到{len(there)}人，请假{leaving}人" in page
        seen = {c: EARLY if m == HERE and play.dice.random() < 0.03 else m for c, m in away.items()}
        if missing:
            seen[next(child for child in sorted(seen) if seen[child] == HERE)] = MISSING
        form = {"day": str(day), **own}
        form |= {f"p-{play.cast.families[child].child_id}": mark for child, mark in seen.items()}
        await browser.post(path, form)
        assert browser.status == 303, browser.page
    play.book.lessons[title, room, day] = seen
    play.book.givers[title, room, day] = play.teacher(title, room)


async def call_off(play: Play, title: str, day: date) -> None:
    """It rains."""
    async with play.cast.desk(giver(play, title, None)) as browser:
        await browser.post(f"/after-school/rosters/{play.ids[title]}/call-off", {"day": str(day), "why": "下雨"})
        assert browser.status == 303, browser.page


# ------------------------------------------------------------------------------------------------------ a missing child
async def missing_child(play: Play, day: date) -> None:
    """On the duty teacher's phone at once, after ten minutes on the head teacher's and the family's; taken on, found,
    and ended in writing."""
    own = next(key for key, seen in play.book.lessons.items() if key[2] == day and MISSING in seen.values())
    child = next(child for child, mark in play.book.lessons[own].items() if mark == MISSING)
    family, clock = play.cast.families[child], play.cast.town.clock
    duty, head, leader = "demo_t_0002", f"demo_h_{family.room + 1:04d}", "demo_t_0001"

    def rung(openid: str) -> int:
        return sum("紧急" in (item.card.text if item.card else item.text) for item in play.cast.pushed(openid))

    assert (rung(duty), rung(head)) == (1, 0)
    play.heard()
    clock.advance(timedelta(minutes=9, seconds=59))
    await play.cast.tick()
    assert rung(head) == 0
    clock.advance(timedelta(seconds=1))
    await play.cast.tick()
    assert (rung(duty), rung(head), rung(leader)) == (0, 1, 0)
    play.book.told[child, "missing"] += 1
    play.heard()
    assert "由您跟进" in await play.cast.says(head, "接手 1")
    clock.advance(timedelta(minutes=40))
    await play.cast.tick()
    assert rung(leader) == 0, "who has been answered climbs no further"
    async with play.cast.desk(play.cast.staff["brush"]) as browser:
        form = {"day": str(day)}
        seen = play.book.lessons[own] | {child: HERE}
        form |= {f"p-{play.cast.families[each].child_id}": mark for each, mark in seen.items()}
        await browser.post(f"/after-school/rosters/{play.ids[BRUSH]}", form)
        assert browser.status == 303, browser.page
    async with play.cast.desk(play.cast.heads[family.room]) as browser:
        page = await browser.get("/alarms")
        [path] = set(re.findall(r'href="/admin(/alarms/[0-9a-zA-Z-]+)"', page)) - {"/alarms/new"}
        await browser.get(path)
        await browser.post(f"{path}/close", {"sentence": "在图书室找到，平安，奶奶已接走。"})
        assert browser.status == 303, browser.page
        page = await browser.get(path)
        assert family.child.name in page
        assert "在图书室找到" in page
    play.book.lessons[own] = seen


# ------------------------------------------------------------------------------------------------- places down the line
async def gives_up(play: Play, day: date) -> int:
    """Somebody with a phone leaves the course that is full; the first in the line is offered the place. Gives who."""
    play.set(at(day, 18, 30))
    chats = {each.number for each in play.cast.families.values() if each.way == "chat"}
    child = min(play.book.seated(BALL, day) & chats)
    openid = play.cast.families[child].openid
    asked = await play.cast.says(openid, "退报")
    number = next(line.partition(".")[0] for line in asked.splitlines() if BALL in line)
    words = await play.cast.says(openid, number, "1")
    assert "已经退掉" in words, words
    play.book.give_up(child, BALL, day)
    return await offered(play)


async def offered(play: Play) -> int:
    """The first in the line reads of it."""
    await play.cast.tick()
    first = play.book.lines[BALL][0]
    play.book.told[first, "offer"] += 1
    play.heard()
    return first


async def takes(play: Play, child: int, moment: datetime) -> None:
    """By a word in the chat, or in the mini-program."""
    play.set(moment)
    family = play.cast.families[child]
    if family.way == "mini":
        _, own = await play.cast.call(family, "GET", "/enrolments")
        [offer] = [each["id"] for each in own["items"] if each["status"] == "offered"]
        assert (await play.cast.call(family, "POST", f"/enrolments/{offer}/acceptance"))[0] == 200
    else:
        assert "报上了" in await play.cast.says(family.openid, "要")
    play.book.take(child, BALL, play.today)


async def runs_out(play: Play, child: int, moment: datetime) -> int | None:
    """Nobody answers: one second before it stands, then the place goes to the next, and both read of it. Gives who."""
    play.set(moment - timedelta(seconds=1))
    await play.cast.tick()
    play.heard()
    play.set(moment)
    play.book.told[child, "lapsed"] += 1
    play.book.leave_line(child, BALL)
    if play.book.lines[BALL]:
        return await offered(play)
    await play.cast.tick()
    play.heard()
    return None


# ------------------------------------------------------------------------------------------------------------ rehearsal
async def foretold(play: Play, day: date, folder: Path) -> set[tuple[datetime, int, str]]:
    """What `xiangxiao rehearse` says will go out to families on a day on which nobody does anything that is told."""
    config = config_of(play.cast.town.settings, folder)
    span = ("--from", day.isoformat(), "--to", day.isoformat())
    process = await running("bot", "rehearse", "--config", str(config), *span, "--json", stdout=PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    lines = [json.loads(line) for line in said.decode().splitlines()]
    families = {str(each.person.id): each.number for each in play.cast.families.values()}
    return {
        (datetime.fromisoformat(line["at"]), families[line["recipient"]], line["rule"])
        for line in lines
        if line["recipient"] in families and line["status"] == "sent"
    }


def config_of(settings: Settings, folder: Path) -> Path:
    """The settings and a small knowledge as files."""
    write(folder, content())
    without = WeChat.model_validate(settings.wechat.model_dump(exclude_unset=True, exclude={"templates"}))
    config = write_config(settings.model_copy(update={"wechat": without}), folder / "config.toml")
    templates = ", ".join(
        f'{{ purpose = "{each.purpose}", kind = "{each.kind}", id = "{each.id}", slots = {{ '
        + ", ".join(f'{slot} = "{key}"' for slot, key in each.slots.items())
        + " } }"
        for each in settings.wechat.templates
    )
    text = config.read_text("utf-8").replace("[wechat]", f"[wechat]\ntemplates = [{templates}]")
    config.write_text(f'{text}\n[knowledge]\ncontent = ["{folder}"]\n', "utf-8")
    return config


def came(play: Play, day: date) -> set[tuple[datetime, int, str]]:
    """What came to the phones on a day."""
    return {each for each in play.diary if each[0].astimezone(SHANGHAI).date() == day}


async def waivers_end(play: Play, day: date) -> None:
    """Families whose waiver ends are told so at six."""
    play.set(at(day, 18))
    for child in play.book.waived:
        play.book.told[child, "result"] += 1
    await play.cast.tick()
    play.heard()


async def after_the_term(play: Play) -> None:
    """The last word before it ends, and then it has."""
    await waivers_end(play, play.book.before_end(3))
    play.set(at(play.book.term_end + timedelta(days=1), 2))
    await play.cast.tick()
    for child in play.book.waived:
        _, answer = await play.cast.call(play.cast.families[child], "GET", "/waivers")
        assert [case["status"] for case in answer["items"]] == ["lapsed"]


# ---------------------------------------------------------------------------------------------------------- month's end
async def month_ends(play: Play, month: str, day: date) -> None:
    """Shown, objected to where a lesson was forgotten, shown again, filed; the list is the book's."""
    play.set(at(day, 9))
    path, forgotten = f"/after-school/months/{play.plan}", play.forgotten
    what = {"month": month, "band": "1-6"}
    async with play.cast.desk(play.cast.staff["leader"]) as leader:
        await leader.post(f"{path}/show", {"month": month})
        assert listed(play, await leader.get(f"{path}?month={month}")) == play.book.given(month)
        if forgotten is not None and forgotten.isoformat().startswith(month):
            await object_to(play, what, forgotten)
            await leader.post(f"{path}/file", what)
            assert leader.status == 422, "nobody has answered"
            await leader.get(f"{path}?month={month}")
            answer = {**what, "objection": leader.hidden("objection"), "text": "核对过了，已经补上"}
            await leader.post(f"{path}/answer", answer)
            await leader.post(f"{path}/show", {"month": month})
        await leader.post(f"{path}/file", what)
        assert leader.status == 303, leader.page
        page = await leader.get(f"{path}?month={month}")
        assert "已备案" in page
        assert listed(play, page) == play.book.given(month)


async def object_to(play: Play, what: dict[str, str], forgotten: date) -> None:
    """The teacher says which lesson is not there, and hands its roster in."""
    async with play.cast.desk(play.cast.staff["brush"]) as teacher:
        text = f"{forgotten.month}月{forgotten.day}日的书法我上了，没有算"
        await teacher.post(f"/after-school/months/{play.plan}/object", {**what, "text": text})
        assert teacher.status == 303, teacher.page
    await take(play, BRUSH, None, play.book.seated(BRUSH, forgotten), forgotten)


def listed(play: Play, page: str) -> Counter[str]:
    """The lessons on a page by who gave them."""
    names = {person.name: role for role, person in play.cast.staff.items()}
    names |= {person.name: f"head {number}" for number, person in enumerate(play.cast.heads)}
    rows = [row for row in rows_of(page) if len(row) == 3 and row[0] in names]
    return Counter({names[row[0]]: int(row[1]) for row in rows})


# ----------------------------------------------------------------------------------------------------------- settlement
async def settle(play: Play, day: date) -> tuple[int, int]:
    """Everything to the fen: each family's line, the sums, what goes back; gives what was due and what went back."""
    play.set(at(day, 9))
    bills = play.book.bills()
    path = f"/after-school/bills/{play.plan}"
    async with play.cast.desk(play.cast.staff["leader"]) as leader:
        await leader.post(f"{path}/settle")
        assert leader.status == 303, leader.page
        pages = [await leader.get(f"{path}?page={number}") for number in range(1, (len(bills) - 1) // 50 + 2)]
        page = "".join(pages)
        assert on_paper(play, page) == {own: (bill.due, bill.paid) for own, bill in bills.items()}
        parts = (sum(each.due for each in bills.values()), sum(each.paid for each in bills.values()))
        rest = (sum(each.back for each in bills.values()), sum(each.open for each in bills.values()))
        for fen in (*parts, *rest):
            assert f'class="number">{yuan(fen)}元' in page, (fen, parts, rest)
        await leader.post(f"{path}/settle")
        rows = await play.rows()
        for (child, title), bill in bills.items():
            if bill.back:
                await leader.post(f"{path}/refund", {"enrolment": rows[child, title]})
                assert f"退费{yuan(bill.back)}元" in await leader.follow(), (child, title)
                play.book.money[child, title] -= bill.back
        assert "退好了" not in await leader.get(path)
    await at_home(play)
    return parts[0], rest[0]


def on_paper(play: Play, page: str) -> dict[tuple[int, str], tuple[int, int]]:
    """Due and paid by child and course, as the page has it."""
    numbers = {family.child.name: family.number for family in play.cast.families.values()}
    found = {}
    for row in rows_of(page):
        name = row[0].split(" ")[0] if row else ""
        if len(row) == 6 and name in numbers:
            fen = [int(cell.replace(".", "")) for cell in row[3:5]]
            found[numbers[name], row[1]] = (fen[0], fen[1])
    return found


async def at_home(play: Play) -> None:
    """Each family reads its own bills in the mini-program, and how they come about, and nobody else's."""
    for family in play.cast.families.values():
        if not family.openid:
            continue
        status, answer = await play.cast.call(family, "GET", "/bills")
        assert status == 200
        bills = {title: bill for (child, title), bill in play.book.bills().items() if child == family.number}
        assert len(answer["items"]) == len(bills)
        for each in answer["items"]:
            bill = bills[each["programme"]]
            assert each["student_id"] == family.child_id
            told = [each[f"{name}_fen"] for name in ("gross", "waived", "due", "paid", "refund", "open")]
            assert told == [bill.gross, bill.waived, bill.due, bill.paid, bill.back, bill.open]
            counted = f"计划{bill.planned}次，在读期间上了{bill.held}次，到了{bill.attended}次"
            assert counted in each["how"], (each["how"], bill)


def ends_of(book_days: list[date], last: date) -> list[tuple[str, date]]:
    """Each month with lessons, and the day on which its list is shown."""
    found = {}
    for day in book_days:
        following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        found[day.isoformat()[:7]] = min(following, last + timedelta(days=1))
    return sorted(found.items())
