"""What waits for the protection lead, in one place: each line with the way on, and nobody else's to see."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsDraft, ContactsFact, ContactsFile, ContactsReport
from tests import factories
from tests.handlers.contacts.clock_stage import ClockStage, every
from tests.handlers.contacts.test_clock_pages import Office
from tests.handlers.contacts.test_clock_pages import office as office  # a fixture

PAGE = "/contacts/overview"


@pytest.fixture
async def stage(office: Office) -> ClockStage:
    """In September, with contact every ten days."""
    stage = office.stage
    stage.at(date(2026, 9, 1), time(9))
    await stage.rule(cadence=every(10))
    return stage


async def draft(stage: ClockStage, author: Person, pupil: Pupil, finding: str) -> None:
    now = stage.clock.now()
    body = json.dumps({"key": "k", "finding": finding}, ensure_ascii=False)
    await ContactsDraft.create(person_id=author.id, pupil_id=pupil.id, body=body, created_at=now, updated_at=now)


async def fact(stage: ClockStage, pupil: Pupil, kind: FactKind, on: date, **values: Any) -> None:
    now = stage.clock.now()
    await ContactsFact.create(
        id=uuid4(), pupil_id=pupil.id, holder=Holder.PARENT_1, kind=kind, value="某处", stated_on=on,
        source=FactSource.PARENT, entered_at=now, created_at=now, updated_at=now, **values,
    )  # fmt: skip


def section(page: str, name: str) -> str:
    """What stands under a heading."""
    return page.partition(f'id="{name}"')[2].partition("<h2")[0]


async def test_overdue_contacts_stand_under_whoever_keeps_them(office: Office, stage: ClockStage) -> None:
    first, second = [await stage.enter(Level.GREEN, stage.teacher) for _ in range(2)]
    alone = await stage.enter(Level.GREEN)
    fresh = await stage.enter(Level.GREEN, stage.head)
    stage.at(date(2026, 9, 12), time(9))
    await stage.record(fresh, on=date(2026, 9, 10))
    async with office.browser(stage.lead) as browser:
        page = await browser.get(PAGE)
    late = section(page, "late")
    assert f"{stage.teacher.name}：2位" in late
    assert "还没有老师负责：1位" in late
    assert late.index(first.name) < late.index("还没有老师负责：1位") < late.index(alone.name)
    assert f'href="/admin/contacts/register/{second.id}"' in late
    assert "2026-09-11" in late or "9月11日" in late
    assert fresh.name not in page
    assert f'href="/admin/contacts/register/{alone.id}"' in section(page, "orphans")
    assert first.name not in section(page, "orphans")


async def test_a_draft_with_words_of_danger_is_not_lost(office: Office, stage: ClockStage) -> None:
    pupil, other, third = [await stage.enter(Level.GREEN, stage.teacher) for _ in range(3)]
    await draft(stage, stage.teacher, pupil, "身上有伤，说是被打的")
    await draft(stage, stage.teacher, other, "作业还没写")
    async with office.browser(stage.lead) as browser:
        stage.at(date(2026, 9, 1), time(9, 59))
        assert pupil.name not in await browser.get(PAGE)
        assert "还没有答复" not in await browser.get("/")
        stage.at(date(2026, 9, 1), time(10))
        assert "草稿里写到可能的危险" in await browser.get("/")
        drafts = section(await browser.get(PAGE), "drafts")
        assert pupil.name in drafts
        assert stage.teacher.name in drafts
        assert "可能有危险，还没有答复" in drafts
        assert "被打" not in drafts
        assert other.name not in drafts
    stage.at(date(2026, 9, 2), time(9))
    await draft(stage, stage.teacher, third, "刚开始写")
    async with office.browser(stage.lead) as browser:
        drafts = section(await browser.get(PAGE), "drafts")
        assert drafts.index(pupil.name) < drafts.index(other.name)
        assert drafts.count("可能有危险，还没有答复") == 1
        assert third.name not in drafts


async def test_reports_reviews_and_old_cards_lead_to_where_they_are_dealt_with(
    office: Office, stage: ClockStage
) -> None:
    pupil = await stage.enter(Level.GREEN, stage.teacher)
    quiet = await stage.enter(Level.GREEN, stage.teacher)
    now = stage.clock.now()
    report = await ContactsReport.create(
        pupil_id=pupil.id, school_id=stage.school.id, township_id=stage.town.id, triggers="[]",
        opened_by=stage.teacher.id, opened_at=now, state=ReportState.OPEN, created_at=now, updated_at=now,
    )  # fmt: skip
    await ContactsFile.filter(pupil_id=pupil.id).update(review_on=stage.today)
    await fact(stage, pupil, FactKind.WORKPLACE, stage.today - timedelta(days=181))
    await fact(stage, pupil, FactKind.NAME, stage.today - timedelta(days=900))
    await fact(stage, pupil, FactKind.PHONE, stage.today, is_stale=True, failed_calls=2)
    await fact(stage, quiet, FactKind.WORKPLACE, stage.today - timedelta(days=180))
    async with office.browser(stage.lead) as browser:
        page = await browser.get(PAGE)
    assert f'href="/admin/contacts/reports/{report.id}"' in section(page, "reports")
    assert f'href="/admin/contacts/register/{pupil.id}"' in section(page, "reviews")
    cards = section(page, "cards")
    assert f'href="/admin/contacts/cards/{pupil.id}"' in cards
    assert "1项超过半年没有问过" in cards
    assert "电话打不通1个" in cards
    assert quiet.name not in page
    assert "留守" not in page


@pytest.mark.parametrize("who", ["teacher", "head", "leader", "admin"])
async def test_it_is_the_leads_alone(office: Office, stage: ClockStage, who: str) -> None:
    async with office.browser(getattr(stage, who)) as browser:
        await browser.get(PAGE)
        assert browser.status == 403
        assert "家校联系总览" not in await browser.get("/")


async def test_the_lead_of_another_school_sees_nothing_of_this_one(office: Office, stage: ClockStage) -> None:
    pupil = await stage.enter(Level.GREEN)
    other = await factories.make_person()
    school = await factories.make_school(stage.town)
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, other, school=school)
    async with office.browser(other) as browser:
        page = await browser.get(PAGE)
        assert browser.status == 200
    assert pupil.name not in page


async def test_it_is_written_down_first_and_without_that_nothing_is_shown(office: Office, stage: ClockStage) -> None:
    pupil = await stage.enter(Level.GREEN)
    async with office.browser(stage.lead) as browser:
        assert pupil.name in await browser.get(PAGE)
        [row] = await AuditRow.filter(subject="contacts:overview", outcome="done")
        assert (row.actor, row.action) == (str(stage.lead.id), "contacts.register")
        async with transaction():
            await AuditRow._meta.db.execute_query("ALTER TABLE audit_entry RENAME TO audit_entry_away")
        page = await browser.get(PAGE)
        assert browser.status >= 500
        assert pupil.name not in page
