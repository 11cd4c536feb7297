"""A teacher's own pages, made for a telephone: today, one child, the record, its correction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from bot.clock import Clock, local_date, to_local
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.contacts.domain.card import Holder
from handlers.contacts.domain.forms import FIELDS, KEY, LISTS, contact_of, joined, parted
from handlers.contacts.domain.numbers import OTHER, NumberAsked
from handlers.contacts.domain.records import LONGEST_FINDING, OLDEST, Contact, ContactOutcome, ReportOpen, Way
from handlers.contacts.domain.reports import TriggerAsked
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.service.family.calls import Calls
from handlers.contacts.service.recording.recording import Asked, RecordingService, heard_in
from handlers.contacts.service.recording.reporting import PAGE as REPORTS
from handlers.contacts.service.recording.today import PAGE, TodayService
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import Attached
from handlers.contacts.service.records.views import RecordView
from handlers.contacts.texts import recording as texts
from handlers.contacts.texts import reports as report_texts
from handlers.contacts.texts.cards import HOLDERS

OWN: Final = "/contacts/own/{ward}"
RECORD: Final = "/contacts/records/{record}"
SEALED: Final = "/contacts/sealed/{record}"
WRITTEN: Final = "/contacts/cards/{ward}/records"
_PICTURE: Final = "picture"
_NAME: Final = "照片.jpg"
_VOICE_NAME: Final = "语音.amr"


class RecordPages:
    """The handlers."""

    def __init__(
        self, recording: RecordingService, today: TodayService, drafts: DraftService, calls: Calls, clock: Clock
    ) -> None:
        self._recording = recording
        self._today = today
        self._drafts = drafts
        self._calls = calls
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own, sealed = Action.CONTACTS_OWN, Action.CONTACTS_SEALED
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.today, menu=texts.MENU),
            AdminRoute(method="GET", path=OWN, action=own, handle=self.child),
            AdminRoute(method="GET", path=WRITTEN, action=own, handle=self.written),
            AdminRoute(method="GET", path=OWN + "/record", action=own, handle=self.form),
            AdminRoute(method="POST", path=OWN + "/record", action=own, handle=self.write, takes_files=True),
            AdminRoute(method="POST", path=OWN + "/draft", action=own, handle=self.keep),
            AdminRoute(method="POST", path=OWN + "/drop", action=own, handle=self.drop),
            AdminRoute(method="POST", path=OWN + "/rang", action=own, handle=self.rang),
            AdminRoute(method="POST", path=OWN + "/missed", action=own, handle=self.missed),
            AdminRoute(method="GET", path=RECORD + "/correct", action=own, handle=self.correction),
            AdminRoute(method="POST", path=RECORD + "/correct", action=own, handle=self.correct),
            AdminRoute(method="POST", path=RECORD + "/done", action=own, handle=self.done),
            AdminRoute(method="GET", path=RECORD + "/photo", action=own, handle=self.photo),
            AdminRoute(method="GET", path=RECORD + "/voice", action=own, handle=self.voice),
            AdminRoute(method="GET", path=SEALED + "/photo", action=sealed, handle=self.sealed_photo),
            AdminRoute(method="GET", path=SEALED + "/voice", action=sealed, handle=self.sealed_voice),
        )

    # --------------------------------------------------------------------------------------------------------- looking
    async def today(self, call: AdminCall) -> AdminAnswer:
        """What is due, what was agreed on, all of one's own children."""
        calls = [each for each in await self._calls.of_teacher(call.actor) if each.is_over and each.is_agreed]
        values = {
            "found": await self._today.today(call.actor),
            "calls": [(each, to_local(each.at).date().isoformat()) for each in calls if each.is_own],
        }
        return Page("contacts/today.html", values)

    async def child(self, call: AdminCall) -> AdminAnswer:
        """One child: whom to call, what was written."""
        sheet = await self._today.child(call.actor, call.id("ward"))
        return Page("contacts/own.html", {"sheet": sheet, "key": uuid4().hex, **_words()})

    async def written(self, call: AdminCall) -> AdminAnswer:
        """What was written about a child within reach, each as far as it is the reader's to see."""
        records = await self._today.written(call.actor, call.id("ward"))
        return Page("contacts/records.html", {"ward": records.ward, "records": records.records, **_words()})

    async def photo(self, call: AdminCall) -> AdminAnswer:
        """The picture of one's own record."""
        found = await self._recording.photo(call.actor, call.id("record"))
        return Download(_NAME, found.content, found.media_type)

    async def voice(self, call: AdminCall) -> AdminAnswer:
        """The voice note of one's own record."""
        found = await self._recording.voice(call.actor, call.id("record"))
        return Download(_VOICE_NAME, found.content, found.media_type)

    async def sealed_photo(self, call: AdminCall) -> AdminAnswer:
        """The picture of any record, for the protection lead."""
        found = await self._recording.sealed(call.actor, call.id("record"), is_voice=False)
        return Download(_NAME, found.content, found.media_type)

    async def sealed_voice(self, call: AdminCall) -> AdminAnswer:
        """The voice note likewise."""
        found = await self._recording.sealed(call.actor, call.id("record"), is_voice=True)
        return Download(_VOICE_NAME, found.content, found.media_type)

    # --------------------------------------------------------------------------------------------------------- writing
    async def form(self, call: AdminCall) -> AdminAnswer:
        """Empty, or as the draft has it."""
        child = call.id("ward")
        draft = await self._drafts.read(call.actor, child)
        filled = {name: str(value) for name, value in draft.body.items()} if draft else _asked_for(call)
        return await self._form(call, child, filled)

    async def write(self, call: AdminCall) -> AdminAnswer:
        """It is kept; sent twice it is one."""
        child, filled = call.id("ward"), _filled(call)
        upload = call.files.get(_PICTURE)
        attached = Attached(upload.content if upload else b"")
        try:
            contact = contact_of(filled)
            written = await self._recording.write(call.actor, child, contact, _asked(call, contact), attached)
        except AppError as fault:
            return await self._faulty(call, child, filled, fault)
        if written.report_id is not None:
            return WayOn(f"{REPORTS}/{written.report_id}", report_texts.OPENED)
        return WayOn(PAGE, _saved(written.record))

    async def missed(self, call: AdminCall) -> AdminAnswer:
        """One tap: nobody answered."""
        child = call.id("ward")
        contact = Contact(
            client_key=call.form.get(KEY, ""), happened_on=local_date(self._clock.now()), way=Way.CALL,
            outcome=ContactOutcome.FAILED, called=_holder(call), is_other_number=call.form.get("called") == OTHER,
        )  # fmt: skip
        await self._recording.write(call.actor, child, contact, Asked())
        return WayOn(OWN.format(ward=child), texts.FAILED_SAVED)

    async def keep(self, call: AdminCall) -> AdminAnswer:
        """The draft, by the script every few seconds or by hand."""
        child = call.id("ward")
        await self._recording.keep(call.actor, child, {name: text for name, text in _filled(call).items() if text})
        return WayOn(OWN.format(ward=child), "" if call.form.get("auto") else texts.KEPT)

    async def drop(self, call: AdminCall) -> AdminAnswer:
        """It is begun anew."""
        child = call.id("ward")
        await self._recording.own(call.actor, child)
        await self._drafts.drop(call.actor, child)
        return WayOn(OWN.format(ward=child), texts.DROPPED)

    async def rang(self, call: AdminCall) -> AdminAnswer:
        """Somebody is being called."""
        child = call.id("ward")
        await self._today.rang(call.actor, child, call.form.get("person", ""))
        return WayOn(OWN.format(ward=child), texts.RANG)

    async def done(self, call: AdminCall) -> AdminAnswer:
        """What was agreed on is done."""
        await self._recording.follow_up_done(call.actor, call.id("record"))
        return WayOn(PAGE, texts.DONE)

    # ------------------------------------------------------------------------------------------------------ correcting
    async def correction(self, call: AdminCall) -> AdminAnswer:
        """The form as the record has it."""
        record = await self._recording.mine(call.actor, call.id("record"))
        return await self._form(call, record.ward.id, _as_filled(record), record=record)

    async def correct(self, call: AdminCall) -> AdminAnswer:
        """Another version; the first one stays."""
        own, filled = call.id("record"), _filled(call)
        try:
            contact = contact_of(filled)
            written = await self._recording.correct(call.actor, own, contact, _asked(call, contact))
        except AppError as fault:
            if fault.denial is not None:
                raise
            record = await self._recording.mine(call.actor, own)
            return await self._form(call, record.ward.id, filled, fault, record)
        if written.report_id is not None:
            return WayOn(f"{REPORTS}/{written.report_id}", report_texts.OPENED)
        return WayOn(OWN.format(ward=written.record.ward.id), texts.CORRECTED)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _faulty(self, call: AdminCall, child: str, filled: dict[str, str], fault: AppError) -> AdminAnswer:
        if fault.denial is not None:
            raise fault
        if isinstance(fault, TriggerAsked | ReportOpen):
            await self._recording.keep(call.actor, child, filled, is_asked=isinstance(fault, TriggerAsked))
        return await self._form(call, child, filled, fault)

    async def _form(
        self,
        call: AdminCall,
        child: str,
        filled: Mapping[str, str],
        fault: AppError | None = None,
        record: RecordView | None = None,
    ) -> Page:
        ward, today = await self._recording.begun(call.actor, child), local_date(self._clock.now())
        given = {KEY: uuid4().hex, "day": today.isoformat(), **{name: text for name, text in filled.items() if text}}
        heard = fault.triggers if isinstance(fault, TriggerAsked) else frozenset()
        values = {
            "ward": ward,
            "record": record,
            "given": dict.fromkeys(FIELDS, "") | given,
            "chosen": {name: parted(given.get(name, "")) for name in LISTS},
            "ticked": call.lists.get("trigger", ()),
            "heard": report_texts.joined(heard),
            "whose": [(each.value, HOLDERS[each]) for each in fault.holders] if isinstance(fault, NumberAsked) else [],
            "triggers": report_texts.TRIGGERS,
            "longest": LONGEST_FINDING,
            "last": today.isoformat(),
            "first": (today - OLDEST).isoformat(),
            "fault": fault.message if fault else "",
            **_words(),
        }
        return Page("contacts/record.html", values, 422 if fault else 200)


def _asked_for(call: AdminCall) -> dict[str, str]:
    """What the address fills in: after a call that was booked, all that is known of it."""
    return {name: call.query.get(name, "") for name in ("way", "outcome", "met", "day")}


def _filled(call: AdminCall) -> dict[str, str]:
    """The fields of the form, as a draft keeps them."""
    several = {name: joined(call.lists.get(name, ())) for name in LISTS}
    return {name: call.form.get(name, "") for name in FIELDS} | several


def _holder(call: AdminCall) -> Holder | None:
    return next((each for each in Holder if each.value == call.form.get("called")), None)


def _asked(call: AdminCall, contact: Contact) -> Asked:
    """What was ticked, and what was answered to the question."""
    ticked = frozenset(each for each in Trigger if each.value in call.lists.get("trigger", ()))
    answer = call.form.get("is_so", "")
    if answer == "yes":
        ticked |= heard_in(contact)
    return Asked(ticked, is_denied=answer == "no" and not ticked)


def _as_filled(record: RecordView) -> dict[str, str]:
    return {
        "day": record.happened_on.isoformat(),
        "part": record.day_part.value if record.day_part else "",
        "way": record.way.value,
        "outcome": record.outcome.value,
        "met": joined(record.met),
        "topics": joined(record.topics),
        "finding": record.finding or "",
        "follow_up": record.follow_up,
        "follow_up_on": record.follow_up_on.isoformat() if record.follow_up_on else "",
        "next_on": record.next_on.isoformat() if record.next_on else "",
        "called": record.called.value if record.called else "",
    }


def _saved(record: RecordView) -> str:
    if record.outcome is ContactOutcome.FAILED:
        return texts.FAILED_SAVED
    day = record.follow_up_on
    return texts.SAVED_NEXT.format(day=texts.DAY.format(month=day.month, day=day.day)) if day else texts.SAVED


def _words() -> dict[str, object]:
    return {
        "ways": texts.WAYS,
        "met": texts.MET,
        "topics": texts.TOPICS,
        "parts": list(texts.PARTS.items()),
        "outcomes": texts.OUTCOMES,
        "backdated": texts.BACKDATED,
        "holders": HOLDERS,
        "other": (OTHER, texts.OTHER_NUMBER),
    }
