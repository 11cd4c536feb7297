"""A child's data as their family may have it: collected from everywhere, with a sentence about what is never in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import ChildRecords
from bot.clock import Clock, to_local
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.people import PeopleService
from handlers.consent import texts
from handlers.consent.domain.register import Basis, child_items
from handlers.consent.models import ConsentEvent
from handlers.consent.service.erasure import Records
from handlers.consent.service.notice import Notice
from handlers.consent.service.within import child_within

_STYLE = (
    "body{font-family:sans-serif;max-width:46em;margin:1em auto;padding:0 1em;line-height:1.6}"
    "table{border-collapse:collapse;width:100%;margin-bottom:1em}"
    "td,th{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}th{width:9em;background:#f3f3f3}"
)


@dataclass(frozen=True, slots=True)
class DataSection:
    """One heading and its records, each as labels and values in words."""

    title: str
    records: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class ChildData:
    """A copy of a child's data. `sentence` is the same for every child of a deployment, whatever there is."""

    child_id: str
    made_at: datetime
    sections: tuple[DataSection, ...]
    sentence: str


class ConsentRecords:
    """What consent keeps about one child. A `ChildRecords`."""

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """What the guardian decided themselves; what another one did is theirs."""
        rows = ConsentEvent.filter(pupil_id=UUID(child_id), person_id=UUID(person_id)).order_by("created_at")
        return {texts.SECTION_CONSENT: [_decision(row) for row in await rows]}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Who agreed to what stays as long as anything of the child does: it is the proof of the rest."""
        if not keep_duty:
            await ConsentEvent.filter(pupil_id=UUID(child_id)).delete()


class DownloadService:
    """Collects a child's data from all capabilities."""

    def __init__(self, people: PeopleService, records: Records, notice: Notice, *, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._records = records
        self._notice = notice
        self._audit = audit
        self._clock = clock

    async def download(self, actor: Actor, child_id: str) -> ChildData:
        """Everything in clear, for a guardian; written down first. Raises NotFound, NotPermitted."""
        child_id, whose = await child_within(self._people, actor, Action.CHILD_DOWNLOAD, child_id)
        async with transaction():
            fields = [item.name.value for basis in Basis for item in child_items(basis)]
            await self._audit.record(
                actor, Action.CHILD_DOWNLOAD, f"child:{child_id}", whose=whose, fields=fields, purpose="download"
            )
            return await self._collected(actor, child_id)

    async def summary(self, actor: Actor, child_id: str) -> list[tuple[str, int]]:
        """The headings and how many records stand under each: no value of any."""
        child_id, _ = await child_within(self._people, actor, Action.CHILD_VIEW, child_id)
        data = await self._collected(actor, child_id)
        return [(section.title, len(section.records)) for section in data.sections if section.title != texts.GROUNDS]

    async def _collected(self, actor: Actor, child_id: str) -> ChildData:
        if actor.person_id is None:
            raise NotPermitted
        sections: list[DataSection] = []
        for source in self._records():
            found = await source.child_data(child_id, actor.person_id)
            sections += [DataSection(title, _records(value)) for title, value in found.items()]
        sections.append(_grounds())
        return ChildData(child_id, to_local(self._clock.now()), tuple(sections), self._notice.left_out)


def sources_of(parts: Sequence[Any]) -> tuple[ChildRecords, ...]:
    """All places where something about a child is kept, in the order of the capabilities."""
    return tuple(source for part in parts for source in part.child_records)


def as_page(data: ChildData) -> str:
    """The copy as one HTML file that needs nothing else: to read, to print, to keep."""
    made = texts.DATA_MADE.format(at=data.made_at.strftime("%Y-%m-%d %H:%M"))
    body = [f"<h1>{escape(texts.DATA_TITLE)}</h1>", f"<p>{escape(made)}</p>"]
    body.append(f"<p><strong>{escape(data.sentence)}</strong></p>")
    for section in data.sections:
        body.append(f"<h2>{escape(section.title)}</h2>")
        body += [_table(record) for record in section.records] or [f"<p>{escape(texts.DATA_NONE)}</p>"]
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(texts.DATA_TITLE)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def file_name(data: ChildData) -> str:
    """What the file is called: it tells nothing about the child."""
    return texts.DATA_FILE_NAME.format(day=data.made_at.date().isoformat())


def _table(record: tuple[tuple[str, str], ...]) -> str:
    rows = (f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>" for label, value in record)
    return f"<table>{''.join(rows)}</table>"


def _records(value: Any) -> tuple[tuple[tuple[str, str], ...], ...]:
    entries = value if isinstance(value, list | tuple) else [value]
    return tuple(tuple((str(label), str(said)) for label, said in entry.items()) for entry in entries if entry)


def _decision(row: ConsentEvent) -> dict[str, str]:
    return {
        texts.FIELD_AT: to_local(row.created_at).isoformat("T", "seconds"),
        texts.FIELD_DECISION: texts.DECISIONS[row.decision],
        texts.FIELD_VERSION: row.notice_version,
        texts.FIELD_CHANNEL: texts.CHANNELS.get(row.channel, row.channel),
    }


def _grounds() -> DataSection:
    """On what ground each item is kept: the same for every child."""
    records = tuple(
        ((texts.GROUND_ITEM, texts.ITEM_TITLES[item.name]), (texts.GROUND_BASIS, texts.BASIS_TITLES[basis]))
        for basis in (Basis.DUTY, Basis.CONSENT)
        for item in child_items(basis)
    )
    return DataSection(texts.GROUNDS, records)
