"""What notices keep about a child and about people: for the family's copy, for erasure, and until when."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import local_date, to_local
from bot.storage.files import FileStore, Owner
from bot.storage.sets import as_value, select_ids
from handlers.notices import texts
from handlers.notices.domain import NO_CHILD, NoticeState
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient, NoticeTicket
from handlers.notices.service.rows import ALBUM

KEPT_DAYS: Final = 365
"""After a notice has ended: a school year later nobody asks any more who was told of what."""
_SUBJECT: Final = "notice"
_ENDED: Final = (NoticeState.CLOSED, NoticeState.RECALLED)
_DEPENDENTS: Final = """
SELECT COUNT(*) AS number FROM notices_recipient r
 WHERE r.child_id IN ({children}) OR r.person_id IN ({people})
"""
_WRITTEN: Final = "SELECT COUNT(*) AS number FROM notices_notice n WHERE n.written_by IN ({people})"


class NoticeRecords:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    # ---------------------------------------------------------------------------------------------------------- a child
    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """What the guardian was told about the child, when they read and confirmed it, and what they answered: their
        own, never other guardians'."""
        rows = NoticeRecipient.filter(child_id=UUID(child_id), person_id=UUID(person_id)).order_by("created_at")
        found = [_told(row) for row in await rows.select_related("notice")]
        return {texts.CHILD_HEADING: found} if found else {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """To whom the school told what it had to tell is kept by duty; what families answered beside goes with
        consent."""
        own = UUID(child_id)
        if keep_duty:
            await NoticeRecipient.filter(child_id=own).update(answers=None)
            return
        await NoticeRecipient.filter(child_id=own).delete()
        await NoticeChild.filter(child_id=own).delete()

    # --------------------------------------------------------------------------------------------------------- the term
    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Notices that ended long ago, and drafts nobody came back to."""
        last = datetime.combine(today - timedelta(days=KEPT_DAYS), time(), UTC)
        ended = Notice.filter(state__in=list(_ENDED), closed_at__lt=last)
        left = Notice.filter(state=NoticeState.DRAFT, updated_at__lt=last)
        rows = [*await ended.order_by("closed_at"), *await left.order_by("updated_at")]
        what = texts.RETENTION.format(days=KEPT_DAYS)
        return [
            DueForRetention(
                f"{_SUBJECT}:{row.id}", what, local_date(row.closed_at or row.updated_at) + timedelta(days=KEPT_DAYS)
            )
            for row in rows
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """The notice goes with its list."""
        own = UUID(due.subject.partition(":")[2])
        for model in (NoticeTicket, NoticeRecipient, NoticeChild):
            await model.filter(notice_id=own).delete()
        await self._files.discard_all(Owner(ALBUM, str(own)))
        await Notice.filter(id=own).delete()

    # ------------------------------------------------------------------------------------------------------- dependents
    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How often any of them was told, and how much any of them wrote: neither can be unmade."""
        connection = NoticeRecipient._meta.db
        engine = connection.capabilities.dialect
        children, people = as_value(engine, set(child_ids) - {NO_CHILD}), as_value(engine, person_ids)
        told = _DEPENDENTS.format(children=select_ids(engine, 1), people=select_ids(engine, 2))
        written = _WRITTEN.format(people=select_ids(engine, 1))
        number = (await connection.execute_query_dict(told, [children, people]))[0]["number"]
        number += (await connection.execute_query_dict(written, [people]))[0]["number"]
        return {"notices": number} if number else {}


def _told(row: NoticeRecipient) -> dict[str, str]:
    answers: Mapping[str, str] = json.loads(row.answers) if row.answers else {}
    questions = {key: text for key, _, text, *_ in row.notice.content["questions"]}
    return {
        texts.FIELD_TITLE: row.notice.title,
        texts.FIELD_AT: _spoken(row.notice.begun_at),
        texts.FIELD_OPENED: _spoken(row.opened_at),
        texts.FIELD_CONFIRMED: _spoken(row.confirmed_at),
        texts.FIELD_HOW: texts.HOW[row.how] if row.how else texts.NONE,
        texts.FIELD_ANSWERS: texts.COMMA.join(f"{questions.get(key, key)}：{said}" for key, said in answers.items())
        or texts.NONE,
    }


def _spoken(at: datetime | None) -> str:
    return to_local(at).isoformat("T", "seconds") if at else texts.NONE
