"""What accounts keep about one child: for the family's copy, for erasure, and for who may decide about the child."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from bot.clock import Clock, local_date, to_local
from bot.rights import Reach
from bot.storage.sets import as_value, mark, select_ids
from handlers.accounts.domain import (
    RELATION_WORDS,
    BindingState,
    BindingWay,
    PlacementReason,
    PupilStatus,
    class_name,
)
from handlers.accounts.models import (
    Appointment,
    Bar,
    BindingRequest,
    Guardianship,
    Invitation,
    Person,
    Placement,
    Pupil,
    SchoolClass,
    Session,
    WeChatIdentity,
)
from handlers.accounts.service.scope import as_id, visible_pupils

# Stands where the name of somebody was whose term is over.
REDUCED_NAME: Final = "（已抹去）"
_NONE: Final = "没有记录"
_STATUS: Final = {PupilStatus.ENROLLED: "在读", PupilStatus.LEFT: "已离校", PupilStatus.GRADUATED: "已毕业"}
_REASONS: Final = {
    PlacementReason.ENROLLED: "入学",
    PlacementReason.PROMOTED: "升班",
    PlacementReason.MOVED: "调班",
    PlacementReason.TRANSFERRED: "转学",
}
_WAYS: Final = {BindingWay.INVITATION: "邀请码", BindingWay.PHONE: "手机号", BindingWay.APPROVAL: "班主任审核"}
# Who has custody of whom on a day: a query to be joined to others. What it keeps apart is a matter of this place only.
_CUSTODY: Final = """
SELECT g.pupil_id, g.person_id
  FROM accounts_guardianship g
 WHERE g.ended_on IS NULL AND NOT EXISTS (
       SELECT 1 FROM accounts_bar b
        WHERE b.pupil_id = g.pupil_id AND b.since <= {day} AND (b.until IS NULL OR b.until >= {day})
          AND (b.person_id = g.person_id OR (b.person_id IS NULL AND b.phone_index = (
               SELECT p.phone_index FROM accounts_person p WHERE p.id = g.person_id))))
"""
_CUSTODY_OF: Final = """
SELECT CAST(c.pupil_id AS TEXT) AS pupil, CAST(c.person_id AS TEXT) AS person
  FROM ({wanted}) w JOIN ({custody}) c ON c.pupil_id = w.id
"""


@dataclass(frozen=True, slots=True)
class EnrolledChild:
    """A child at school, as a list of a class shows it."""

    id: str
    name: str
    class_id: str
    class_name: str
    school: str


def custody_rows(day: str) -> str:
    """A query of `pupil_id` and `person_id`: the guardians on the roster whose guardianship goes on and who are not
    barred on the day, given as a mark of the statement it becomes a part of (`Custody.day` is its value)."""
    return _CUSTODY.format(day=day)


class AccountsChildRecords:
    """Everything about one child that accounts keep. A `ChildRecords`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """The child's own data in clear, their time in classes, and what the guardian is to them. Nothing of bars, of
        other guardians, or of who decided what; every heading always."""
        pupil = await Pupil.get(id=child_id).select_related("school", "school_class")
        placements = await Placement.filter(pupil_id=pupil.id).order_by("since").select_related("school_class__school")
        own = await Guardianship.get_or_none(pupil_id=pupil.id, person_id=person_id).select_related("person")
        said = await BindingRequest.filter(pupil_id=pupil.id, identity__person_id=person_id).order_by("created_at")
        return {
            "孩子": _child(pupil),
            "在校经历": [_placement(placement) for placement in placements],
            "您与孩子": _guardianship(own),
            "您申请绑定时写的说明": [
                {"时间": to_local(request.created_at).isoformat("T", "seconds"), "内容": request.said}
                for request in said
            ],
        }

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """With `keep_duty`: what people wrote to be bound, once it is decided. Without: whatever tells who the child
        was, and the grown-ups who are here for nobody else."""
        if keep_duty:
            await BindingRequest.filter(pupil_id=child_id).exclude(state=BindingState.PENDING).delete()
            return
        now = self._clock.now()
        guardians = await Guardianship.filter(pupil_id=child_id).values_list("person_id", flat=True)
        for model in (BindingRequest, Invitation, Bar, Guardianship):
            await model.filter(pupil_id=child_id).delete()
        await Pupil.filter(id=child_id).update(
            name=REDUCED_NAME,
            sex="",
            birth_date=None,
            match_index=None,
            roster_number=None,
            roster_number_index=None,
            id_number=None,
            id_number_index=None,
            reduced_at=now,
            updated_at=now,
        )
        await self._forget_persons({UUID(str(guardian)) for guardian in guardians})

    async def _forget_persons(self, persons: set[UUID]) -> None:
        for model in (Guardianship, Appointment):
            persons -= set(await model.filter(person_id__in=persons).values_list("person_id", flat=True))
        now = self._clock.now()
        await Session.filter(person_id__in=persons).delete()
        await WeChatIdentity.filter(person_id__in=persons).update(person_id=None, bound_at=None, updated_at=now)
        await Person.filter(id__in=persons).update(
            name=REDUCED_NAME,
            phone=None,
            phone_index=None,
            id_number=None,
            id_number_index=None,
            is_erased=True,
            updated_at=now,
        )


class Custody:
    """Who may decide for which child, and which children there are to be decided for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def of(self, child_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """The guardians of each child, by id: those on the roster whose guardianship goes on and who are not barred,
        bound or not. Children without any are left out."""
        connection = Guardianship._meta.db
        engine = connection.capabilities.dialect
        query = _CUSTODY_OF.format(wanted=select_ids(engine, 1), custody=custody_rows(mark(engine, 2)))
        rows = await connection.execute_query_dict(query, [as_value(engine, child_ids), self.day(engine)])
        found: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            found[row["pupil"]].add(row["person"])
        return {child: frozenset(guardians) for child, guardians in found.items()}

    def day(self, engine: str) -> Any:
        """Today, as the value `custody_rows` wants."""
        today = local_date(self._clock.now())
        return today if engine == "postgres" else today.isoformat()

    async def enrolled(self, reach: Reach, class_id: str | None = None) -> list[EnrolledChild]:
        """The children in classes within reach (or in the one), by school and class."""
        query = visible_pupils(reach).filter(status=PupilStatus.ENROLLED, school_class_id__not_isnull=True)
        rows = (
            await (query if class_id is None else query.filter(school_class_id=as_id(class_id)))
            .order_by("school__name", "school_class__grade", "school_class__number", "name", "id")
            .values_list("id", "name", "school_class_id", "school_class__grade", "school_class__number", "school__name")
        )
        # Of thousands of children there are but dozens of classes to be named.
        named = {room: (str(room[0]), class_name(*room[1:])) for room in {row[2:5] for row in rows}}
        return [EnrolledChild(str(row[0]), row[1], *named[row[2:5]], row[5]) for row in rows]

    async def children_of(self, person_id: str) -> list[str]:
        """The children the person has custody of, by id."""
        rows = await Guardianship.filter(person_id=person_id).values_list("pupil_id", flat=True)
        held = await self.of(str(row) for row in rows)
        return sorted(child for child, guardians in held.items() if person_id in guardians)


def _child(pupil: Pupil) -> dict[str, str]:
    school_class = pupil.school_class
    return {
        "姓名": pupil.name,
        "性别": pupil.sex or _NONE,
        "出生日期": pupil.birth_date or _NONE,
        "学籍号": pupil.roster_number or _NONE,
        "身份证件号": pupil.id_number or _NONE,
        "学校": pupil.school.name,
        "班级": _class(school_class) if school_class else _NONE,
        "状态": _STATUS[pupil.status],
        "离校日期": pupil.left_on.isoformat() if pupil.left_on else _NONE,
    }


def _class(school_class: SchoolClass) -> str:
    return class_name(school_class.grade, school_class.number)


def _placement(placement: Placement) -> dict[str, str]:
    school_class = placement.school_class
    return {
        "学校": school_class.school.name,
        "学年": f"{school_class.school_year}—{school_class.school_year + 1}",
        "班级": _class(school_class),
        "从": placement.since.isoformat(),
        "到": placement.until.isoformat() if placement.until else "现在",
        "原因": _REASONS[placement.reason],
    }


def _guardianship(own: Guardianship | None) -> dict[str, str]:
    if own is None:
        return {}
    return {
        "姓名": own.person.name,
        "电话": own.person.phone or _NONE,
        "关系": RELATION_WORDS[own.relation],
        "日常照看": "是" if own.is_acting else "否",
        "绑定时间": to_local(own.bound_at).isoformat("T", "seconds") if own.bound_at else _NONE,
        "绑定方式": _WAYS[own.bound_by] if own.bound_by else _NONE,
    }
