"""Taking things out: a purpose, a second person, a watermark, a password, a week; and one child's file on paper."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta

import msoffcrypto
import pytest
from msoffcrypto.exceptions import InvalidKeyError
from python_calamine import CalamineError, CalamineWorkbook
from tortoise.exceptions import BaseORMException

from bot.audit.models import AuditRow
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.storage.database import transaction
from bot.storage.files import FileStore
from bot.storage.models import StoredFile
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Person, Pupil
from handlers.consent.service.files import FileTerm
from handlers.contacts.domain.exports import (
    ExportNotReady,
    ExportOver,
    ExportOwn,
    ExportState,
    NothingToExport,
    PurposeMissing,
    ScopeMissing,
    TakenFor,
)
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import ContactsExport, ContactsPrint
from handlers.contacts.service.exports.exporting import Made, Wanted
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.texts import exports as texts
from tests import factories
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, contact
from tests.handlers.contacts.test_glass import LABELS, filled

WEEK = timedelta(days=7)


def wanted(contacts: Contacts, **values: object) -> Wanted:
    given = {
        "place": str(contacts.school.id), "taken_for": TakenFor.INSPECTION, "purpose": "县局9月检查 & 现场看",
        **values,
    }  # fmt: skip
    return Wanted(**given)  # type: ignore[arg-type]


async def released(contacts: Contacts, **values: object) -> str:
    own = await contacts.exports.ask(contacts.people.lead, wanted(contacts, **values))
    await contacts.exports.decide(contacts.people.leader, own, is_yes=True)
    return own


def unlocked(content: bytes, password: str) -> bytes:
    """What the file holds, for whoever knows the password; that it is whole is checked too."""
    file = msoffcrypto.OfficeFile(io.BytesIO(content))
    file.load_key(password=password, verify_password=True)
    plain = io.BytesIO()
    file.decrypt(plain, verify_integrity=True)
    return plain.getvalue()


async def made(contacts: Contacts, **values: object) -> tuple[Made, bytes]:
    own = await released(contacts, **values)
    done = await contacts.exports.make(contacts.people.lead, own)
    _, found = await contacts.exports.take(contacts.people.lead, own)
    return done, found.content


def sheets(plain: bytes) -> dict[str, Sequence[Sequence[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(plain))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


# ------------------------------------------------------------------------------------------------------------ the file
async def test_the_file_opens_with_its_password_and_without_it_not_at_all(contacts: Contacts) -> None:
    await filled(contacts)
    done, content = await made(contacts)
    name = (await Pupil.get(id=contacts.child())).name
    assert name.encode() not in content
    assert not zipfile.is_zipfile(io.BytesIO(content))
    with pytest.raises(CalamineError):
        CalamineWorkbook.from_filelike(io.BytesIO(content))
    for wrong in ("0000-0000-0000-0000", done.password.lower(), done.password[:-1]):
        with pytest.raises(InvalidKeyError):
            unlocked(content, wrong)
    assert name in str(sheets(unlocked(content, done.password)))
    touched = bytearray(content)
    touched[len(touched) // 2] ^= 1
    with pytest.raises(InvalidKeyError, match="integrity"):
        unlocked(bytes(touched), done.password)
    [row] = await ContactsExport.all()
    assert row.digest == hashlib.sha256(content).hexdigest()


async def test_the_watermark_is_on_every_sheet_every_row_and_every_printed_page(contacts: Contacts) -> None:
    await filled(contacts)
    await Person.filter(id=contacts.people.lead.person_id).update(name="沈护航")
    contacts.identity.forget()
    contacts.people.lead = await contacts.actor(str(contacts.people.lead.person_id))
    done, content = await made(contacts, has_records=True)
    plain = unlocked(content, done.password)
    line = f"导出人：沈护航　时间：2026-09-08 09:00　用途：上级检查，县局9月检查 & 现场看　编号：{done.line.number}"
    pages = sheets(plain)
    assert list(pages) == ["名单", "联系记录"]
    for rows in pages.values():
        assert rows[0][0] == line
        assert rows[3][-1] == texts.MARK_COLUMN
        assert len(rows) == 5
        assert all(row[-1] == f"沈护航 2026-09-08 09:00 {done.line.number}" for row in rows[4:])
    with zipfile.ZipFile(io.BytesIO(plain)) as book:
        for number in (1, 2):
            sheet = book.read(f"xl/worksheets/sheet{number}.xml").decode()
            [header] = re.findall(r"<oddHeader>(.*?)</oddHeader>", sheet)
            assert header.replace("&amp;", "&").removeprefix("&C").replace("&&", "&") == line


async def test_it_holds_what_was_asked_for_and_no_more(contacts: Contacts) -> None:
    await filled(contacts)
    done, content = await made(contacts)
    [rows] = sheets(unlocked(content, done.password)).values()
    assert rows[3] == [*texts.LIST_HEAD, texts.MARK_COLUMN]
    assert [word for word in (*LABELS, "父母", "慢性病", "作业") if word in str(rows)] == []
    done, content = await made(contacts, has_groups=True, has_records=True)
    pages = sheets(unlocked(content, done.password))
    assert "留守（父母都在外）" in str(pages["名单"])
    assert [word for word in ("作业", "问过", "慢性病") if word in str(pages)] == []
    assert "家访" in str(pages["联系记录"])


async def test_a_class_is_a_class(contacts: Contacts) -> None:
    await contacts.entered(0)
    await contacts.entered(1)
    await Pupil.filter(id=contacts.child(1)).update(school_class_id=contacts.other_room.id)
    places = [own for own, _ in await contacts.exports.places(contacts.people.lead)]
    assert places == [str(contacts.school.id), str(contacts.room.id), str(contacts.other_room.id)]
    done, content = await made(contacts, place=str(contacts.room.id))
    [rows] = sheets(unlocked(content, done.password)).values()
    assert len(rows[4:]) == 1


# ----------------------------------------------------------------------------------------------------------- two hands
async def test_a_second_person_releases_it_and_nobody_their_own(contacts: Contacts) -> None:
    people, exports = contacts.people, contacts.exports
    await contacts.entered()
    own = await exports.ask(people.lead, wanted(contacts))
    with pytest.raises(ExportNotReady):
        await exports.make(people.lead, own)
    with pytest.raises(ExportOver):
        await exports.take(people.lead, own)
    assert [todo.count for todo in await exports.todos_of(people.leader)] == [1]
    with pytest.raises(NotPermitted):
        await exports.decide(people.lead, own, is_yes=True)
    # Who holds both charges still needs somebody else.
    both = await _also_leader(contacts, people.lead)
    with pytest.raises(ExportOwn):
        await exports.decide(both, own, is_yes=True)
    assert await exports.todos_of(both) == []
    await exports.decide(people.admin, own, is_yes=True)
    with pytest.raises(ExportNotReady):
        await exports.decide(people.leader, own, is_yes=False, why="用途没有写清")
    assert [todo.count for todo in await exports.todos_of(people.lead)] == [1]
    await exports.make(people.lead, own)
    with pytest.raises(ExportNotReady):
        await exports.make(people.lead, own)
    assert await exports.todos_of(people.lead) == []


async def _also_leader(contacts: Contacts, actor: Actor) -> Actor:
    person = await Person.get(id=actor.person_id)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, person, school=contacts.school)
    contacts.identity.forget()
    return await contacts.actor(str(person.id))


async def test_a_form_sent_again_asks_once(contacts: Contacts) -> None:
    await contacts.entered()
    asked = set(
        await asyncio.gather(
            *(contacts.exports.ask(contacts.people.lead, wanted(contacts), key="form") for _ in range(3))
        )
    )
    assert (len(asked), await ContactsExport.all().count()) == (1, 1)
    # The control: without the form's key each is one of its own.
    await asyncio.gather(*(contacts.exports.ask(contacts.people.lead, wanted(contacts)) for _ in range(3)))
    assert await ContactsExport.all().count() == 4


async def test_a_no_has_a_reason_and_ends_it(contacts: Contacts) -> None:
    people, exports = contacts.people, contacts.exports
    await contacts.entered()
    own = await exports.ask(people.lead, wanted(contacts))
    with pytest.raises(PurposeMissing):
        await exports.decide(people.leader, own, is_yes=False)
    await exports.decide(people.leader, own, is_yes=False, why="请只导出一个班")
    line = await exports.own(people.lead, own)
    assert (line.state, line.refusal, line.is_over) == (ExportState.REFUSED, "请只导出一个班", True)
    with pytest.raises(ExportNotReady):
        await exports.make(people.lead, own)


async def test_what_is_asked_for_is_within_reach_and_has_a_purpose(contacts: Contacts) -> None:
    people, exports = contacts.people, contacts.exports
    with pytest.raises(NotFound):
        await exports.ask(people.lead, wanted(contacts))
    await contacts.entered()
    for fault, values in ((PurposeMissing, {"purpose": " 查 "}), (ScopeMissing, {"place": ""})):
        with pytest.raises(fault):
            await exports.ask(people.lead, wanted(contacts, **values))
    with pytest.raises(NotFound):
        await exports.ask(people.foreign_lead, wanted(contacts))
    with pytest.raises(NotPermitted):
        await exports.ask(people.leader, wanted(contacts))
    own = await released(contacts)
    other_lead = await contacts.staff(AppointmentKind.PROTECTION_LEAD, school=contacts.school)
    for deed in (exports.make(other_lead, own), exports.take(other_lead, own), exports.own(other_lead, own)):
        with pytest.raises(NotFound):
            await deed
    far_leader = await contacts.staff(AppointmentKind.SCHOOL_LEADER, school=contacts.foreign)
    with pytest.raises(NotFound):
        await exports.to_release(far_leader, own)
    await Pupil.filter(id=contacts.child()).update(status=PupilStatus.LEFT, left_on=TODAY)
    with pytest.raises(NothingToExport):
        await exports.make(people.lead, own)
    gone = await contacts.leave(people.lead)
    with pytest.raises((NotFound, NotPermitted)):
        await exports.make(gone, own)


async def test_made_twice_at_once_it_is_one_file_with_one_password(contacts: Contacts) -> None:
    await contacts.entered()
    own, lead = await released(contacts), contacts.people.lead
    tried = await asyncio.gather(*(contacts.exports.make(lead, own) for _ in range(3)), return_exceptions=True)
    [done] = [each for each in tried if isinstance(each, Made)]
    assert all(isinstance(each, ExportNotReady) for each in tried if not isinstance(each, Made))
    assert await StoredFile.all().count() == 1
    _, found = await contacts.exports.take(lead, own)
    assert sheets(unlocked(found.content, done.password))


# ---------------------------------------------------------------------------------------------------------------- time
async def test_after_a_week_it_is_over_and_the_night_removes_it(contacts: Contacts) -> None:
    await contacts.entered()
    done, _ = await made(contacts)
    contacts.clock.set(NOW + WEEK - timedelta(seconds=1))
    await contacts.exports.take(contacts.people.lead, done.line.id)
    contacts.clock.set(NOW + WEEK)
    with pytest.raises(ExportOver):
        await contacts.exports.take(contacts.people.lead, done.line.id)
    assert await StoredFile.all().count() == 1
    term = FileTerm(FileStore(contacts.clock))
    for due in await term.due(TODAY + WEEK):
        await term.dispose(due)
    assert await StoredFile.all().count() == 0
    assert (await contacts.exports.own(contacts.people.lead, done.line.id)).is_over


async def test_a_request_waits_a_week(contacts: Contacts) -> None:
    await contacts.entered()
    asked = await contacts.exports.ask(contacts.people.lead, wanted(contacts))
    own = await released(contacts)
    contacts.clock.set(NOW + WEEK)
    with pytest.raises(ExportOver):
        await contacts.exports.decide(contacts.people.leader, asked, is_yes=True)
    with pytest.raises(ExportOver):
        await contacts.exports.make(contacts.people.lead, own)
    assert await StoredFile.all().count() == 0
    assert await contacts.exports.todos_of(contacts.people.leader) == []


# ------------------------------------------------------------------------------------------------------------ the log
async def test_every_step_and_every_download_is_written_down(contacts: Contacts) -> None:
    await contacts.entered()
    done, _ = await made(contacts)
    await contacts.exports.take(contacts.people.lead, done.line.id)
    rows = await AuditRow.filter(subject=f"contacts_export:{done.line.id}").order_by("id")
    assert [(row.purpose, row.actor) for row in rows] == [
        ("export.ask", contacts.people.lead.person_id),
        ("export.release", contacts.people.leader.person_id),
        ("export.read", contacts.people.lead.person_id),
        ("export.make", contacts.people.lead.person_id),
        ("export.take", contacts.people.lead.person_id),
        ("export.take", contacts.people.lead.person_id),
    ]
    assert done.password not in str(await AuditRow.all().values())


async def test_nothing_is_given_that_cannot_be_written_down(contacts: Contacts) -> None:
    await filled(contacts)
    lead, own = contacts.people.lead, await released(contacts)
    done, _ = await made(contacts)
    printed = await contacts.prints.ask(lead, contacts.child(), TakenFor.INSPECTION, "县局检查")
    await contacts.break_audit()
    for deed in (
        contacts.exports.make(lead, own), contacts.exports.take(lead, done.line.id), contacts.exports.places(lead),
        contacts.prints.sheet(lead, printed), contacts.plan.planned(lead),
        contacts.prints.ask(lead, contacts.child(), TakenFor.INSPECTION, "县局检查"),
    ):  # fmt: skip
        with pytest.raises(BaseORMException):
            await deed
    assert (await ContactsExport.get(id=own)).state is ExportState.RELEASED
    assert await ContactsPrint.all().count() == 1


async def test_what_was_taken_out_stays_known(contacts: Contacts) -> None:
    await filled(contacts)
    await made(contacts)
    await contacts.prints.ask(contacts.people.lead, contacts.child(), TakenFor.INSPECTION, "县局检查")
    for table, change in (
        (ContactsExport, {"person_id": contacts.people.leader.person_id}), (ContactsExport, {"has_groups": True}),
        (ContactsPrint, {"until": NOW + WEEK}),
    ):  # fmt: skip
        with pytest.raises(BaseORMException):
            async with transaction():
                await table.all().update(**change)
        with pytest.raises(BaseORMException):
            async with transaction():
                await table.all().delete()


# -------------------------------------------------------------------------------------------------------------- paper
async def test_a_child_s_file_on_paper_has_a_purpose_and_an_hour(contacts: Contacts) -> None:
    await filled(contacts)
    lead, child = contacts.people.lead, contacts.child()
    services = contacts.machinery.services
    ward = await contacts.reaching.ward(contacts.people.teacher, child)
    async with transaction():
        await services.get(ReportService).open_for(
            contacts.people.teacher, ward, frozenset({Trigger.VIOLENCE}), "身上有伤"
        )
    with pytest.raises(PurposeMissing):
        await contacts.prints.ask(lead, child, TakenFor.INSPECTION, "看")
    own = await contacts.prints.ask(lead, child, TakenFor.INSPECTION, "县局检查，现场看")
    printed = await contacts.prints.sheet(lead, own)
    assert (printed.by, printed.purpose, printed.at) == (lead.name, "县局检查，现场看", NOW)
    assert printed.whole.reports is not None
    assert [(each.words, each.state) for each in printed.whole.reports] == [("身上有伤", ReportState.OPEN)]
    row = await AuditRow.filter(purpose=f"print:{own}").get()
    assert (row.about, row.action) == (child, "contacts.export")
    for actor in (contacts.people.foreign_lead,):
        with pytest.raises(NotFound):
            await contacts.prints.sheet(actor, own)
        with pytest.raises(NotFound):
            await contacts.prints.ask(actor, child, TakenFor.INSPECTION, "县局检查")
    with pytest.raises(NotFound):
        await contacts.prints.ask(lead, contacts.child(1), TakenFor.INSPECTION, "县局检查")
    with pytest.raises(NotPermitted):
        await contacts.prints.ask(contacts.people.leader, child, TakenFor.INSPECTION, "县局检查")
    contacts.clock.set(NOW + timedelta(hours=1))
    with pytest.raises(ExportOver):
        await contacts.prints.sheet(lead, own)


async def test_what_is_sealed_is_kept_for_an_inspection(contacts: Contacts) -> None:
    await filled(contacts)
    await contacts.records.write(contacts.people.teacher, contacts.child(), contact("k2", finding="第二次"))
    await Pupil.filter(id=contacts.child()).update(status=PupilStatus.LEFT, left_on=date(2026, 9, 7))
    for due in await contacts.keeping.due(TODAY):
        async with transaction():
            await contacts.keeping.dispose(due)
    own = await contacts.prints.ask(contacts.people.lead, contacts.child(), TakenFor.AUTHORITY, "公安来调取")
    printed = await contacts.prints.sheet(contacts.people.lead, own)
    assert len(printed.whole.records) == 2
    contacts.clock.set(NOW + timedelta(days=1095))
    for due in await contacts.keeping.due(TODAY + timedelta(days=1095)):
        async with transaction():
            await contacts.keeping.dispose(due)
    assert await ContactsPrint.all().count() == 0
    with pytest.raises(NotFound):
        await contacts.prints.ask(contacts.people.lead, contacts.child(), TakenFor.AUTHORITY, "公安来调取")
