"""What the forms about offers send, as values; and values as the forms show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, TypeVar

from bot.clock import SHANGHAI, to_local, to_utc
from bot.errors import InvalidInput, NotFound
from bot.web.admin import AdminCall
from handlers.accounts.domain import HIGHEST_GRADE, LOWEST_GRADE, grade_name
from handlers.after_school.admin.wording import yuan
from handlers.after_school.domain.fees import Cap, Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.plans import FeePayer, PlanChanged, Selection, SettleBy
from handlers.after_school.service.offering.drafting import Seat
from handlers.after_school.service.offering.views import PlanSheet, ProgrammeLine
from handlers.after_school.service.offers import PlanDraft, ProgrammeDraft
from handlers.after_school.texts import offering as texts

GRADE_CHOICES: Final = [(str(grade), grade_name(grade)) for grade in range(LOWEST_GRADE, HIGHEST_GRADE + 1)]
WEEKDAY_CHOICES: Final = [(str(number), f"星期{sign}") for number, sign in enumerate(texts.WEEKDAYS, 1)]
_LONGEST: Final = 64
_LONGEST_CLAUSE: Final = 200
_LONGEST_PHONE: Final = 32
_MOST_FEN: Final = 10_000_00
_MOST_PLACES: Final = 100_000
_MOST_DAYS_OFF: Final = 31
_TOWN: Final = "town:"

_Choice = TypeVar("_Choice", bound=StrEnum)
Given = Mapping[str, str]


# -------------------------------------------------------------------------------------------------------- single fields
def text_of(call: AdminCall, name: str, longest: int = _LONGEST) -> str:
    """What was written, cut to what is kept."""
    return call.form.get(name, "").strip()[:longest]


def read_date(text: str) -> date:
    """Raises InvalidInput."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(texts.NO_DATE) from None


def read_moment(text: str) -> datetime:
    """To the second, by the clock on the wall. Raises InvalidInput."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(texts.NO_DATE) from None
    if at.tzinfo is not None:
        raise InvalidInput(texts.NO_DATE)
    return to_utc(at.replace(tzinfo=SHANGHAI))


def read_number(text: str, most: int = _MOST_PLACES) -> int:
    """Raises InvalidInput."""
    said = text.strip()
    if not (said.isascii() and said.isdigit() and int(said[:9]) <= most):
        raise InvalidInput(texts.NO_NUMBER)
    return int(said)


def read_places(text: str) -> int | None:
    """None: as many as come. Raises InvalidInput."""
    return read_number(text) if text.strip() else None


def read_fen(text: str) -> int:
    """From yuan; nothing written is nothing to pay. Raises InvalidInput."""
    said = text.strip()
    if not said:
        return 0
    try:
        fen = Decimal(said) * 100
    except InvalidOperation:
        raise InvalidInput(texts.NO_MONEY) from None
    if not fen.is_finite() or fen != fen.to_integral_value() or not 0 <= fen <= _MOST_FEN:
        raise InvalidInput(texts.NO_MONEY)
    return int(fen)


def read_choice(kind: type[_Choice], text: str) -> _Choice:
    """Raises InvalidInput."""
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(texts.NO_CHOICE) from None


def read_version(call: AdminCall) -> int:
    """Which version of the plan was read. Raises PlanChanged for what is none."""
    said = call.form.get("version", "")
    if not (said.isascii() and said.isdigit()) or len(said) > 9:
        raise PlanChanged
    return int(said)


def read_grade(text: str) -> int:
    """Raises InvalidInput."""
    if text not in dict(GRADE_CHOICES):
        raise InvalidInput(texts.NO_CHOICE)
    return int(text)


def read_window(call: AdminCall) -> Window:
    """Raises InvalidInput, WindowInvalid."""
    return Window(read_moment(call.form.get("opens", "")), read_moment(call.form.get("closes", "")))


def shown_moment(at: datetime) -> str:
    """As the browser's field takes it."""
    return to_local(at).replace(tzinfo=None).isoformat("T", "seconds")


# ---------------------------------------------------------------------------------------------------------- whole forms
def owner_value(township_id: str, school_id: str | None) -> str:
    """Whose plan it is, as one choice."""
    return school_id or _TOWN + township_id


def read_head(call: AdminCall, owners: Mapping[str, tuple[str, str | None]]) -> PlanDraft:
    """`owners`: township and school by what the choice sends. Raises InvalidInput."""
    owner = owners.get(call.form.get("owner", ""))
    if owner is None:
        raise InvalidInput(texts.NO_SCHOOL)
    return PlanDraft(
        township_id=owner[0],
        school_id=owner[1],
        term=text_of(call, "term"),
        title=text_of(call, "title"),
        first_day=read_date(call.form.get("first", "")),
        last_day=read_date(call.form.get("last", "")),
        window=read_window(call),
        complaint_phone=text_of(call, "phone", _LONGEST_PHONE),
        pick_up_point=text_of(call, "pick_up"),
        offer_school_days=read_number(call.form.get("offer_days", ""), 10),
        settle_by=read_choice(SettleBy, call.form.get("settle", "")),
    )


def shown_head(sheet: PlanSheet) -> dict[str, str]:
    """The fields of a plan that is there."""
    return {
        "owner": owner_value(sheet.township_id, sheet.school_id),
        "term": sheet.term,
        "title": sheet.title,
        "first": sheet.first_day.isoformat(),
        "last": sheet.last_day.isoformat(),
        "opens": shown_moment(sheet.window.opens_at),
        "closes": shown_moment(sheet.window.closes_at),
        "phone": sheet.complaint_phone,
        "pick_up": sheet.pick_up_point,
        "offer_days": str(sheet.offer_school_days),
        "settle": sheet.settle_by.value,
    }


def read_programme(call: AdminCall) -> tuple[ProgrammeDraft, Seat]:
    """Raises InvalidInput."""
    form = call.form
    weekdays = frozenset(int(day) for day in call.lists.get("weekday", ()) if day in set("1234567"))
    try:
        start, end = time.fromisoformat(form.get("start", "")), time.fromisoformat(form.get("end", ""))
    except ValueError:
        raise InvalidInput(texts.NO_DATE) from None
    basis = read_choice(FeeBasis, form.get("basis", ""))
    pool = form.get("pool", "")
    draft = ProgrammeDraft(
        title=text_of(call, "title"),
        grades=Grades(read_grade(form.get("lowest", "")), read_grade(form.get("highest", ""))),
        hours=Hours(weekdays, start, end),
        selection=read_choice(Selection, form.get("selection", "")),
        fee=Fee(basis, read_fen(form.get("yuan", "")), text_of(call, "clause", _LONGEST_CLAUSE)),
        fee_payer=read_choice(FeePayer, form.get("payer", "")),
        teacher_id=call.form_id("teacher") if form.get("teacher") else None,
        room=text_of(call, "room"),
        pick_up_point=text_of(call, "pick_up"),
    )
    return draft, Seat(call.form_id("pool") if pool else None, None if pool else read_places(form.get("places", "")))


EMPTY_PROGRAMME: Final[Given] = {
    "title": "",
    "lowest": "1",
    "highest": "6",
    "start": "",
    "end": "",
    "selection": "first_come",
    "basis": "",
    "yuan": "",
    "payer": "family",
    "clause": "",
    "teacher": "",
    "room": "",
    "pick_up": "",
    "pool": "",
    "places": "",
}


def shown_programme(sheet: PlanSheet, line: ProgrammeLine) -> dict[str, str]:
    """The fields of a programme that is there."""
    return {
        "title": line.title,
        "lowest": str(line.grades.lowest),
        "highest": str(line.grades.highest),
        "start": line.hours.starts_at.isoformat("minutes"),
        "end": line.hours.ends_at.isoformat("minutes"),
        "selection": line.selection.value,
        "basis": line.fee.basis.value,
        "yuan": yuan(line.fee.amount_fen) if line.fee.amount_fen else "",
        "payer": line.fee_payer.value,
        "clause": line.fee.clause,
        "teacher": line.teacher_id or "",
        "room": line.room,
        "pick_up": line.pick_up_point,
        "pool": line.pool_id,
        "places": "",
    }


def read_cap(call: AdminCall) -> Cap:
    """Raises InvalidInput, CapInvalid."""
    form = call.form
    kind = form.get("kind", "")
    if kind not in texts.KINDS:
        raise InvalidInput(texts.NO_CHOICE)
    return Cap(
        read_fen(form["lesson"]) if form.get("lesson", "").strip() else None,
        read_fen(form["term"]) if form.get("term", "").strip() else None,
        read_date(form.get("since", "")),
        text_of(call, "clause", _LONGEST_CLAUSE),
        kind or None,
    )


def read_days_off(call: AdminCall) -> list[date]:
    """One day, or all from the first to the last. Raises InvalidInput."""
    first = read_date(call.form.get("first", ""))
    last = read_date(call.form["last"]) if call.form.get("last", "").strip() else first
    if last < first:
        raise InvalidInput(texts.DAYS_REVERSED)
    if (last - first).days >= _MOST_DAYS_OFF:
        raise InvalidInput(texts.TOO_MANY_DAYS.format(most=_MOST_DAYS_OFF))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def known_programme(sheet: PlanSheet, own: str) -> ProgrammeLine:
    """Raises NotFound."""
    found = next((each for each in sheet.programmes if each.id == own), None)
    if found is None:
        raise NotFound
    return found
