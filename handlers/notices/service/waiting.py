"""Who still has to confirm, as the tables stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from tortoise.expressions import Subquery

from handlers.notices.domain import NO_CHILD, Confirmation, Confirmed, is_satisfied
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient


async def children_waiting(row: Notice, among: Collection[str] | None = None) -> set[str]:
    """The children (of those asked about, None: all) whose confirmation is not complete; `NO_CHILD` while somebody on
    the staff has not confirmed. None of a notice that asks for nothing."""
    if row.confirmation is Confirmation.NONE:
        return set()
    done = await children_done(row.id)
    waiting = NoticeRecipient.filter(notice_id=row.id)
    if among is not None:
        waiting = waiting.filter(child_id__in=[UUID(each) for each in among])
    families: dict[str, list[Confirmed]] = defaultdict(list)
    for person, child, is_acting, at in await waiting.values_list("person_id", "child_id", "is_acting", "confirmed_at"):
        families[str(child)].append(Confirmed(str(person), bool(is_acting), at is not None))
    staff = families.pop(NO_CHILD, [])
    found = {child for child, people in families.items() if not is_satisfied(row.who, people, by_hand=child in done)}
    nobody = NoticeChild.filter(notice_id=row.id, confirmed_by_hand=False)
    for child in await nobody.values_list("child_id", flat=True):
        if str(child) not in families and (among is None or str(child) in among):
            found.add(str(child))
    return found | ({NO_CHILD} if any(not each.is_done for each in staff) else set())


async def children_done(notice_id: UUID) -> set[str]:
    """The children whose family's agreement was entered by hand."""
    rows = await NoticeChild.filter(notice_id=notice_id, confirmed_by_hand=True).values_list("child_id", flat=True)
    return {str(each) for each in rows}


async def nobody_to_tell(notice_id: UUID) -> dict[str, None]:
    """The children of the list nobody is told for."""
    told = NoticeRecipient.filter(notice_id=notice_id).values("child_id")
    rows = NoticeChild.filter(notice_id=notice_id, child_id__not_in=Subquery(told)).values_list("child_id", flat=True)
    return {str(child): None for child in await rows}


async def families_of(notice_id: UUID, children: Collection[str]) -> dict[str, str | None]:
    """Whom to call about each child: the acting guardian, else the first of the list, else nobody known."""
    found: dict[str, str | None] = {child: None for child in children if child != NO_CHILD}
    wanted = [UUID(child) for child in found]
    rows = NoticeRecipient.filter(notice_id=notice_id, child_id__in=wanted).order_by("is_acting", "created_at", "id")
    for child, person in await rows.values_list("child_id", "person_id"):
        # The acting one comes last and stays.
        found[str(child)] = str(person)
    return found
