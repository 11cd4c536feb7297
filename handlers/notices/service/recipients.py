"""Who a notice goes to: the audience of the day, and the list as it stands when sending begins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from bot.capability import AudienceSource
from bot.delivery.tables import Statement
from handlers.accounts.service import audience_sql
from handlers.accounts.service.audience import OF_CHILDREN, Audience
from handlers.accounts.service.audiences import AccountsAudiences, ChildMeant, Selection
from handlers.accounts.service.audiences import Recipient as Person
from handlers.notices.domain import NO_CHILD, NoticeInvalid, Target, Who
from handlers.notices.models import NoticeChild, NoticeRecipient

_GONE: Final = "选的这批孩子现在查不到了，请重新选择范围。"
_CHILDREN: Final = """
INSERT INTO notices_child (id, created_at, updated_at, notice_id, child_id, school_id, class_id, confirmed_by_hand)
SELECT {id}, {now}, {now}, {notice}, {child}, {school}, {room}, FALSE FROM ({meant}) q
 WHERE TRUE ON CONFLICT (notice_id, child_id) DO NOTHING"""
_RECIPIENTS: Final = """
INSERT INTO notices_recipient (id, created_at, updated_at, notice_id, person_id, child_id, is_acting,
 has_new_words)
SELECT {id}, {now}, {now}, {notice}, q.person_id, {child}, FALSE, FALSE FROM ({meant}) q, {parts}
 WHERE TRUE ON CONFLICT (notice_id, person_id, child_id) DO NOTHING"""
_PARTS: Final = {
    "postgres": ("CAST(part.id AS uuid)", "unnest(string_to_array(COALESCE(q.child_ids, '{none}'), '+')) AS part(id)"),
    "sqlite": (
        "part.value",
        """json_each('["' || replace(COALESCE(q.child_ids, '{none}'), '+', '","') || '"]') AS part""",
    ),
}
_COPIED_CHILDREN: Final = """
INSERT INTO notices_child (id, created_at, updated_at, notice_id, child_id, school_id, class_id, confirmed_by_hand)
SELECT {id}, {now}, {now}, {notice}, o.child_id, o.school_id, o.class_id, {confirmed} FROM notices_child o
 WHERE o.notice_id = {before} AND EXISTS (SELECT 1 FROM notices_recipient r
       WHERE r.notice_id = {notice} AND r.child_id = o.child_id)
    ON CONFLICT (notice_id, child_id) DO NOTHING"""
_COPIED: Final = """
INSERT INTO notices_recipient (id, created_at, updated_at, notice_id, person_id, child_id, is_acting,
 has_new_words, {kept})
SELECT {id}, {now}, {now}, {notice}, o.person_id, o.child_id, o.is_acting, FALSE, {values} FROM notices_recipient o
 WHERE o.notice_id = {before} AND NOT o.has_new_words AND o.person_id {people}
    ON CONFLICT (notice_id, person_id, child_id) DO NOTHING"""
_KEPT: Final = ("confirmed_at", "how", "answers", "entered_by")
# One row a person, with the children their message names.
_GROUPED: Final = {
    "postgres": "SELECT r.person_id, string_agg(NULLIF(CAST(r.child_id AS text), '{none}'), '+' ORDER BY r.child_id)"
    " AS child_ids FROM notices_recipient r",
    "sqlite": "SELECT r.person_id, group_concat(NULLIF(r.child_id, '{none}'), '+') AS child_ids"
    " FROM notices_recipient r",
}
_NO_OTHER: Final = """NOT EXISTS (SELECT 1 FROM notices_recipient o WHERE o.notice_id = r.notice_id
       AND o.child_id = r.child_id AND o.child_id <> '00000000-0000-0000-0000-000000000000' AND {which})"""
_NOBODY_ACTS: Final = _NO_OTHER.format(which="o.is_acting")
_NOBODY_HAS: Final = _NO_OTHER.format(which="o.confirmed_at IS NOT NULL")
_WAITING: Final[Mapping[Who, str]] = {
    Who.ANY: _NOBODY_HAS,
    Who.EACH: "TRUE",
    Who.ACTING: f"(r.is_acting OR ({_NOBODY_ACTS} AND {_NOBODY_HAS}))",
}
_UNCONFIRMED: Final = (
    " LEFT JOIN notices_child c ON c.notice_id = r.notice_id AND c.child_id = r.child_id"
    " WHERE r.notice_id = {notice} AND r.confirmed_at IS NULL AND NOT COALESCE(c.confirmed_by_hand, FALSE) AND {rule}"
)


@dataclass(frozen=True, slots=True)
class Meant:
    """An audience of a day: its children with everybody who looks after them, and the people who would be told."""

    children: Sequence[ChildMeant]
    people: Sequence[Person]


class Recipients:
    """Over the people of accounts and the sources of other capabilities."""

    def __init__(self, audiences: AccountsAudiences, sources: Callable[[], Sequence[AudienceSource]]) -> None:
        self.audiences = audiences
        self.sources = sources

    async def audience(self, target: Target, today: date) -> Audience:
        """The audience, narrowed to what another capability chose. Raises NoticeInvalid when it is not there."""
        if not target.source:
            return target.audience
        source = next((each for each in self.sources() if each.name == target.source), None)
        if source is None:
            raise NoticeInvalid(_GONE)
        chosen = frozenset(await source.child_ids(target.choice, today))
        wanted = chosen & target.audience.pupil_ids if target.audience.pupil_ids else chosen
        # No child at all must not read as every child.
        return replace(target.audience, pupil_ids=wanted or frozenset({NO_CHILD}))

    async def meant(self, target: Target, today: date) -> Meant:
        """For the screen. The unticked are left in: whoever shows it asks without them."""
        audience = await self.audience(target, today)
        children = await self.audiences.children_of(audience, today) if audience.roles & OF_CHILDREN else []
        return Meant(children, await self.audiences.people(audience, today))

    async def count(self, target: Target, today: date) -> int:
        """How many people would be told."""
        return await self.audiences.count(await self.audience(target, today), today)

    # -------------------------------------------------------------------------------------------------------- freezing
    async def freeze(self, notice_id: UUID, target: Target, today: date, now: datetime) -> None:
        """Writes the list down, in the caller's transaction. Twice is once."""
        audience = await self.audience(target, today)
        await self._freeze_recipients(notice_id, await self.audiences.select(audience, today), now)
        if audience.roles & OF_CHILDREN:
            statement = _statement()
            children = audience_sql.children(statement.engine, audience)
            await self._freeze_children(notice_id, children, now)
            await self._mark_acting(notice_id, await self.audiences.children_of(audience, today))
            return
        await self._children_of_picked(notice_id, now)

    async def _freeze_recipients(self, notice_id: UUID, meant: Selection, now: datetime) -> None:
        statement = _statement(meant.parameters)
        child, parts = _PARTS[statement.engine]
        await statement.insert(
            _RECIPIENTS.strip().format(
                id=statement.new_id,
                now=statement.add(now, "moment"),
                notice=statement.add(notice_id, "id"),
                child=child,
                meant=meant.sql,
                parts=parts.format(none=NO_CHILD),
            )
        )

    async def _freeze_children(self, notice_id: UUID, meant: Selection, now: datetime) -> None:
        statement = _statement(meant.parameters)
        columns = ("q.id", "q.school_id", "q.class_id")
        child, school, room = (f"CAST({each} AS uuid)" if statement.is_postgres else each for each in columns)
        await statement.insert(
            _CHILDREN.strip().format(
                id=statement.new_id,
                now=statement.add(now, "moment"),
                notice=statement.add(notice_id, "id"),
                child=child,
                school=school,
                room=room,
                meant=meant.sql,
            )
        )

    async def _mark_acting(self, notice_id: UUID, children: Sequence[ChildMeant]) -> None:
        pairs = [
            (UUID(each.child.id), UUID(guardian.person_id))
            for each in children
            for guardian in each.guardians
            if guardian.is_acting
        ]
        if not pairs:
            return
        statement = _statement()
        rows = statement.rows("acting", {"child": "id", "person": "id"}, pairs)
        notice = statement.add(notice_id, "id")
        await statement.run(
            f"UPDATE notices_recipient SET is_acting = TRUE WHERE notice_id = {notice}"  # noqa: S608 - values are marks
            f" AND (child_id, person_id) IN (SELECT acting.child, acting.person FROM {rows})"
        )

    async def _children_of_picked(self, notice_id: UUID, now: datetime) -> None:
        """Of hand-picked people: the children they were picked for."""
        ids = (
            await NoticeRecipient.filter(notice_id=notice_id)
            .exclude(child_id=NO_CHILD)
            .values_list("child_id", flat=True)
        )
        wards = await self.audiences.children({str(each) for each in ids})
        rows = [
            NoticeChild(
                notice_id=notice_id,
                child_id=UUID(each.id),
                school_id=UUID(each.school_id),
                class_id=UUID(each.class_id) if each.class_id else None,
                created_at=now,
                updated_at=now,
            )
            for each in wards.values()
        ]
        await NoticeChild.bulk_create(rows, ignore_conflicts=True)

    async def copy(
        self, notice_id: UUID, before: UUID, people: Collection[str], now: datetime, *, is_material: bool
    ) -> None:
        """The recipients of the notice before who are among the people. Unless the change is material what they have
        confirmed stays confirmed. In the caller's transaction."""
        statement = _statement()
        shared = {
            "id": statement.new_id,
            "now": statement.add(now, "moment"),
            "notice": statement.add(notice_id, "id"),
            "before": statement.add(before, "id"),
        }
        values = ["NULL" for _ in _KEPT] if is_material else [f"o.{each}" for each in _KEPT]
        await statement.insert(
            _COPIED.strip().format(
                **shared, kept=", ".join(_KEPT), values=", ".join(values), people=statement.ids(list(people))
            )
        )
        statement = _statement()
        shared = {
            "id": statement.new_id,
            "now": statement.add(now, "moment"),
            "notice": statement.add(notice_id, "id"),
            "before": statement.add(before, "id"),
        }
        confirmed = "FALSE" if is_material else "o.confirmed_by_hand"
        await statement.insert(_COPIED_CHILDREN.strip().format(**shared, confirmed=confirmed))


async def keep_outcomes(notice_id: UUID, told: Mapping[str, tuple[str, datetime]]) -> None:
    """Writes down by which channel and when each person was told: delivery forgets it after a while. In the caller's
    transaction."""
    if not told:
        return
    statement = _statement()
    rows = statement.rows(
        "kept",
        {"person": "id", "way": "text", "at": "moment"},
        [(UUID(person), way, at) for person, (way, at) in told.items()],
    )
    notice = statement.add(notice_id, "id")
    await statement.run(
        f"UPDATE notices_recipient SET told_at = kept.at, channel = kept.way FROM {rows}"  # noqa: S608 - values are marks
        f" WHERE notices_recipient.notice_id = {notice} AND notices_recipient.person_id = kept.person"
    )


def everybody(notice_id: UUID) -> tuple[str, list[Any]]:
    """A query of all recipients, one row a person, and its values."""
    statement = _statement()
    notice = statement.add(notice_id, "id")
    head = _GROUPED[statement.engine].format(none=NO_CHILD)
    return f"{head} WHERE r.notice_id = {notice} GROUP BY r.person_id", statement.values


def unconfirmed(notice_id: UUID, who: Who) -> tuple[str, list[Any]]:
    """A query of those whose confirmation is wanted and not there, one row a person, and its values."""
    statement = _statement()
    notice = statement.add(notice_id, "id")
    head = _GROUPED[statement.engine].format(none=NO_CHILD)
    return f"{head}{_UNCONFIRMED.format(notice=notice, rule=_WAITING[who])} GROUP BY r.person_id", statement.values


def _statement(values: Sequence[Any] = ()) -> Statement:
    return Statement(NoticeRecipient._choose_db(True), values)
