"""The words of courses and sign-ups as families read them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from bot.clock import to_local
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.plans import Selection
from handlers.after_school.service.family import Course, OwnLine
from handlers.after_school.service.views import EnrolmentView, ProgrammeView
from handlers.after_school.texts import sign_up as texts

# What WeChat takes as one text, less a little for what the dispatcher may put before it.
MOST_BYTES: Final = 1900
MOST_LINES: Final = 8
_WORKDAYS: Final = (1, 2, 3, 4, 5)
_FEN: Final = 100


def days(weekdays: Sequence[int]) -> str:
    """星期一、三."""
    if tuple(weekdays) == _WORKDAYS:
        return texts.EVERY_SCHOOL_DAY
    return texts.WEEKDAY.format(days=texts.COMMA.join(texts.WEEKDAYS[day - 1] for day in weekdays))


def hours(view: ProgrammeView) -> str:
    """星期一、三16:00–17:20."""
    return texts.HOURS.format(days=days(view.weekdays), starts_at=view.starts_at, ends_at=view.ends_at)


def moment(at: datetime) -> str:
    """9月8日9:00."""
    local = to_local(at)
    return texts.MOMENT.format(month=local.month, day=local.day, hour=local.hour, minute=local.minute)


def day(iso: str) -> str:
    """9月14日."""
    found = date.fromisoformat(iso)
    return texts.DAY.format(month=found.month, day=found.day)


def yuan(fen: int) -> str:
    """300, 4.50."""
    return str(fen // _FEN) if fen % _FEN == 0 else f"{fen // _FEN}.{fen % _FEN:02d}"


def fee(course: Course) -> str:
    """What a family pays."""
    view = course.view
    if view.fee_basis is FeeBasis.FREE:
        return texts.FEE_FREE
    if not course.is_paid_by_family:
        return texts.FEE_PUBLIC
    each = texts.FEE_TERM if view.fee_basis is FeeBasis.PER_TERM else texts.FEE_LESSON
    return each.format(amount=yuan(view.fee_fen))


def label(child: ChildView) -> str:
    """A child to be chosen."""
    return texts.CHILD_LABEL.format(name=child.name, school=child.school, school_class=child.class_name)


def names(found: Collection[str]) -> str:
    """Several, each once, in their order."""
    return texts.COMMA.join(dict.fromkeys(found))


# ----------------------------------------------------------------------------------------------------------- the list
def page_of(name: str, courses: Sequence[Course], start: int) -> tuple[str, int]:
    """One page of the list from a place on, and how many courses stand on it."""
    lines = [texts.LIST_LEAD.format(name=name)]
    size = len("".join(lines).encode()) + len((texts.LIST_MORE + texts.LIST_END).encode())
    count = 0
    for course in courses[start : start + MOST_LINES]:
        line = texts.LIST_LINE.format(
            number=count + 1,
            title=course.view.title,
            hours=hours(course.view),
            places=_places(course.view),
            fee=fee(course),
        )
        size += len(line.encode()) + 1
        if count and size > MOST_BYTES:
            break
        lines.append(line)
        count += 1
    left = len(courses) - start - count
    lines += [texts.LIST_MORE.format(count=left)] if left > 0 else []
    return "\n".join([*lines, texts.LIST_END]), count


def _places(view: ProgrammeView) -> str:
    if view.selection is Selection.DRAW:
        return texts.PLACES_DRAW
    if view.places_left is None:
        return texts.PLACES_FREE
    return texts.PLACES_LEFT.format(count=view.places_left) if view.places_left else texts.PLACES_NONE


# ----------------------------------------------------------------------------------------------- what is told before
def read(picked: Sequence[tuple[str, Course]], first_day: str) -> str:
    """All that a family has to know before it confirms: each child's name and course."""
    told = [texts.VOLUNTARY]
    if phone := picked[0][1].view.complaint_phone:
        told.append(texts.COMPLAINT.format(phone=phone))
    ask = texts.ASK if len(picked) == 1 else texts.ASK_TOGETHER
    return texts.READ.format(
        courses="\n".join(_course(name, course, first_day) for name, course in picked),
        told="".join(told),
        question=ask.format(names=names([name for name, _ in picked])),
    )


def _course(name: str, course: Course, first_day: str) -> str:
    view, paid = course.view, fee(course)
    where = texts.READ_ROOM.format(room=view.room) if view.room else ""
    where += texts.READ_PICK_UP.format(point=view.pick_up_point) if view.pick_up_point else ""
    return texts.READ_COURSE.format(
        name=name,
        title=view.title,
        hours=hours(view),
        first=day(first_day),
        where=where,
        teacher=course.teacher or texts.TEACHER_OPEN,
        fee=texts.READ_CLAUSE.format(fee=paid, clause=view.fee_clause) if view.fee_clause else paid,
        places=_places_read(view),
    )


def _places_read(view: ProgrammeView) -> str:
    if view.selection is Selection.DRAW:
        return texts.PLACES_DRAW_READ
    if view.places_left is None:
        return texts.PLACES_FREE_READ
    return texts.PLACES_LEFT_READ.format(count=view.places_left) if view.places_left else texts.PLACES_NONE_READ


# ----------------------------------------------------------------------------------------------------------- sign-ups
def state(view: EnrolmentView) -> str:
    """候补，现在第3位."""
    return texts.OWN_STATES[view.state.value].format(
        position=view.position,
        until=moment(view.offered_until) if view.offered_until else "",
        rank=texts.RANK.format(rank=view.rank) if view.rank else "",
    )


def own(line: OwnLine) -> str:
    """One line of 我的报名."""
    view = line.enrolment
    return texts.OWN_LINE.format(name=line.child, title=view.programme, state=state(view))
