"""Matches → the text a parent reads: the answer first, then conditions, then where it stands, within the length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from knowledge import texts
from knowledge.answer import Option
from knowledge.entry import Citation, Entry, PlanStatus

LIMIT = 2048
"""Bytes of UTF-8 of one WeChat text."""

_SAYS_MISSING = re.compile(
    "没有?写|没写明|没有收录|没有列|没有给|没有说|没有提|未写|空着|残缺|缺|看不出|没有注明|没有公布"
)
_SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]?")


def citation(entry: Entry, today: date) -> Citation:
    """The citation of `entry` as of `today`."""
    validity, place = entry.plan.validity, entry.plan.place
    return Citation(
        plan=entry.plan.title,
        section=entry.section,
        place="".join(place.levels) or None,
        status=str(validity.on(today)),
        valid_from=validity.valid_from.isoformat() if validity.valid_from else None,
        valid_to=validity.valid_to.isoformat() if validity.valid_to else None,
    )


def source_line(entries: Sequence[Entry]) -> str:
    """依据《…》 sections, place and year; the sections of one plan together, plans parted by ；"""
    sections: dict[str, list[str]] = {}
    plans = {entry.plan.id: entry.plan for entry in entries}
    for entry in entries:
        if entry.section:
            sections.setdefault(entry.plan.id, []).append(f"“{entry.section}”")
    parts = []
    for plan in plans.values():
        title = plan.title if plan.title.startswith("《") else f"《{plan.title}》"
        year = f"{plan.validity.year}年" if plan.validity.year else texts.NO_YEAR
        where = f"{plan.place.name or texts.NO_PLACE}，{year}"
        section = "".join(dict.fromkeys(sections.get(plan.id, ())))
        parts.append(texts.SOURCE.format(title=title, section=section, where=where))
    return texts.SOURCES.format(sources="；".join(parts))


def status_lead(entry: Entry, today: date) -> str:
    """What must be said before an answer of a plan whose dates are past; empty otherwise."""
    if entry.plan.validity.on(today) is PlanStatus.ENDED and entry.dates:
        return texts.ENDED_LEAD.format(year=_year(entry))
    return ""


def status_tail(entry: Entry, today: date) -> str:
    """How far the answer may be relied on, and whom to ask."""
    plan, status = entry.plan, entry.plan.validity.on(today)
    if status is PlanStatus.TEMPLATE:
        return texts.TEMPLATE_TAIL
    if status is PlanStatus.ENDED:
        tail = texts.ENDED_TAIL if entry.dates else texts.ENDED_PLAIN
        return tail.format(ask=plan.ask, year=_year(entry))
    if plan.place.name is None:
        return texts.UNPLACED_TAIL
    if status is PlanStatus.UNDATED and plan.validity.year is None:
        return texts.UNDATED_TAIL.format(ask=plan.ask)
    return ""


def _year(entry: Entry) -> str:
    validity = entry.plan.validity
    year = validity.year or (validity.valid_to.year if validity.valid_to else None)
    return f"{year}年" if year else "以前"


def body(entry: Entry, today: date) -> str:
    """The answer of one entry with its lead; a gap says what is missing and whom to ask."""
    if entry.gap is not None:
        said = bool(_SAYS_MISSING.search(entry.answer))
        missing = entry.answer if said else f"{entry.answer}方案{entry.gap.missing}"
        missing = missing if missing.endswith(("。", "）", "？")) else f"{missing}。"
        return missing if entry.gap.ask in missing else texts.GAP.format(missing=missing, ask=entry.gap.ask)
    return status_lead(entry, today) + entry.answer


def one(entry: Entry, today: date, *, lead: str = "", options: Sequence[Option] = (), note: str = "") -> str:
    """The reply for one entry: `lead`, answer, source, how far to rely on it, further options, next step."""
    tail = "" if entry.is_gap else status_tail(entry, today)
    source = "" if entry.plan.validity.status is PlanStatus.SCOPE else source_line([entry])
    end = [part for part in (source, tail, note) if part]
    end += [numbered(texts.NOT_THIS, options), texts.NEXT_OPTIONS] if options else [texts.NEXT]
    return fit(lead + body(entry, today), "\n".join(end))


def several(entries: Sequence[Entry], today: date, *, lead: str, labels: Sequence[str], note: str = "") -> str:
    """A reply that lists entries by place, stage or question, each with its own short source."""
    share = (LIMIT - 420) // max(1, len(entries))
    parts = []
    for label, entry in zip(labels, entries, strict=True):
        text = body(entry, today)
        parts.append(shorten(f"【{label}】{text}" if label else text, share))
    tails = list(dict.fromkeys(filter(None, (status_tail(entry, today) for entry in entries if not entry.is_gap))))
    tail = tails[0] if len(tails) == 1 else texts.MIXED_TAIL if tails else ""
    end = [part for part in (source_line(entries), tail, note, texts.NEXT) if part]
    return fit("\n".join([lead, *parts] if lead else parts), "\n".join(end))


def numbered(lead: str, options: Sequence[Option]) -> str:
    """`lead` and the options numbered from 1, one a line."""
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, 1)]
    return "\n".join([lead, *lines])


def fit(head: str, end: str) -> str:
    """`head` and `end` within the limit; what is too long is cut from the head at a sentence."""
    room = LIMIT - len(end.encode()) - 2
    return f"{shorten(head, room)}\n{end}" if end else shorten(head, LIMIT)


def shorten(text: str, size: int) -> str:
    """`text` within `size` bytes of UTF-8, cut after a sentence where one fits, with “…” at the cut."""
    if len(text.encode()) <= size:
        return text
    kept = ""
    for sentence in _SENTENCE.findall(text):
        if len((kept + sentence).encode()) > size - 3:
            break
        kept += sentence
    if not kept:
        kept = text.encode()[: max(0, size - 3)].decode(errors="ignore")
    return kept + "…"
