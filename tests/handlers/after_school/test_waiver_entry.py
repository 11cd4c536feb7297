"""Waivers as families meet them: the mini-program, the chat, what is pushed; and that no word of why leaks anywhere."""

from __future__ import annotations

import logging
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import handlers.after_school
from bot.audit.models import AuditRow
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Purpose
from bot.delivery.reminding import SOURCE as REMINDER
from bot.delivery.reminding import DueReminder, Reminded
from handlers.accounts.models import Guardianship
from handlers.after_school.domain.waivers import HARDSHIPS, Verdict
from handlers.after_school.models import AfterSchoolWaiver
from handlers.after_school.service.waivers.telling import REASON, SOURCE
from handlers.after_school.texts import waivers as texts
from tests.handlers.after_school.stage import Stage
from tests.handlers.after_school.waivers_stage import FULL, NUMBERS, Waivers
from tests.handlers.notices.stage import push_of

LABELS = (*(each.title for each in HARDSHIPS), "减免", "困难", "低保", "贫困", "残疾", "孤儿", "脱贫", "waiver")
"""What nobody but the family and those who decide may read."""


@pytest.fixture
async def waivers(stage: Stage) -> Waivers:
    return await Waivers(stage).build()


def leaks(text: object) -> list[str]:
    return [label for label in LABELS if label in str(text)]


# ------------------------------------------------------------------------------------------------------------ telling
async def compose(waivers: Waivers) -> list[Any]:
    rows = await OutboxPush.all().order_by("created_at", "id")
    pushes = [push_of(row) for row in rows]
    found = await waivers.stage.assembly.pushes[SOURCE].compose(pushes, waivers.stage.clock.now())
    return [found[push.id] for push in pushes]


async def test_every_outcome_is_pushed_in_the_same_words(waivers: Waivers) -> None:
    await waivers.decided(Verdict.REFUSE)
    refused = await compose(waivers)
    await AfterSchoolWaiver.all().delete()
    await OutboxPush.all().delete()
    await waivers.decided(Verdict.GRANT)
    granted = await compose(waivers)
    assert refused == granted
    assert len(granted) == 1
    rows = await OutboxPush.all()
    assert [row.purpose for row in rows] == [Purpose.RESULT]
    assert leaks([row.__dict__ for row in rows]) == []
    assert leaks(granted) == []


async def test_who_no_longer_looks_after_the_child_is_not_told(waivers: Waivers) -> None:
    await waivers.decided(Verdict.GRANT)
    await Guardianship.all().update(ended_on=waivers.stage.clock.now().date())
    assert await compose(waivers) == [NotNeeded("not_theirs")]


async def test_a_case_given_back_is_told_too_and_a_check_is_not(waivers: Waivers) -> None:
    own = await waivers.handed_in()
    await waivers.deciding.give_back(waivers.checker, own, "请补拍")
    assert await OutboxPush.all().count() == 1
    await waivers.asking.submit(waivers.mother, own)
    await waivers.deciding.check(waivers.checker, own)
    assert await OutboxPush.all().count() == 1


async def test_before_it_lapses_the_family_hears_without_a_word_of_what(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.GRANT)
    [reason] = [each for part in waivers.stage.machinery.parts for each in part.reminder_reasons if each.name == REASON]
    last = date(2027, 1, 22)
    assert await reason.occurrences(date(2026, 9, 1), last - timedelta(days=1)) == []
    [occurrence] = await reason.occurrences(last, last)
    assert (occurrence.id, occurrence.day) == (own, last)
    told = await reason.recipients(occurrence, occurrence.schools, date(2027, 1, 8))
    assert told == [Reminded(waivers.mother.person_id or "", (waivers.child,))]
    row = (await OutboxPush.all())[0]
    push = push_of(row)._replace(reason=f"{REMINDER}:{REASON}")
    due = DueReminder(push=push, occurrence=own, lead="10", day=last)
    [words] = (await reason.compose([due], waivers.stage.clock.now())).values()
    assert isinstance(words, Composed)
    assert leaks(words) == leaks([words.text, words.line, list(words.slots.values())]) == []
    await waivers.asking.withdraw(waivers.mother, own)
    assert await reason.occurrences(last, last) == []
    assert list((await reason.compose([due], waivers.stage.clock.now())).values()) == [NotNeeded("over")]


# -------------------------------------------------------------------------------------------------------------- leaks
async def test_no_word_of_why_is_in_a_list_a_log_an_audit_row_or_a_plain_column(
    waivers: Waivers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await waivers.give_number(waivers.mother, NUMBERS[0])
        await waivers.listed(NUMBERS[0])
        own = await waivers.decided(Verdict.REFUSE, code=FULL)
        await waivers.asking.appeal(waivers.mother, own, "名单漏了我家，是低保户")
        await waivers.deciding.lapse()
    lines, _ = await waivers.deciding.queue(waivers.third)
    todos = await waivers.deciding.todos_of(waivers.third)
    assert [each.count for each in todos] == [1]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("tortoise", "asyncio"))]
    assert leaks([lines, [each.title for each in todos], ours]) == []
    titles = [each.title for each in HARDSHIPS]
    assert not any(title in str(row.__dict__) for row in await AuditRow.all() for title in titles)
    connection = AfterSchoolWaiver._meta.db
    for table in ("after_school_waiver", "after_school_waiver_event", "after_school_waived", "outbox_push"):
        rows = await connection.execute_query_dict(f"SELECT * FROM {table}")
        assert leaks([list(row.values()) for row in rows]) == []
        kind = await waivers.kind(FULL)
        assert kind not in str(rows)


def test_menu_titles_and_pushes_are_neutral() -> None:
    neutral = [texts.MENU, texts.WAITS, texts.PUSH_SUBJECT, texts.PUSH_LINE, texts.PUSH_TEXT]
    neutral += [texts.LAPSE_LINE, texts.LAPSE_TEXT, *texts.STAFF_STATES.values(), *(words for _, words in texts.SHOWN)]
    assert leaks(neutral) == []


def test_titles_of_pages_are_neutral() -> None:
    folder = Path(handlers.after_school.__path__[0]) / "templates" / "after_school"
    pages = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("waivers_*.html"))}
    assert len(pages) >= 6
    found = {name: re.findall(r"{% block title %}(.*?){% endblock %}", text) for name, text in pages.items()}
    assert all(len(each) == 1 for each in found.values())
    assert leaks(found.values()) == []
    # The control: the page of a case does name what it is about, so the scan can see such words.
    assert "case.title" in pages["waivers_case.html"]
    assert leaks("低保家庭") != []
