"""The notice about children's data, as this deployment shows it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bot.config import Support
from handlers.consent import texts
from handlers.consent.domain.register import Basis, child_items

PAGE_LENGTH = 580
_FINGERPRINT = 4
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of the notice. `short` is for a chat bubble; `left_out` goes with every copy of a child's data."""

    version: str
    title: str
    sections: tuple[tuple[str, str], ...]
    short: str
    officer: str
    officer_phone: str
    complaint: str
    left_out: str

    @property
    def text(self) -> str:
        """The whole, as one text."""
        return "\n".join([self.title, *self._parts()])

    @property
    def pages(self) -> tuple[str, ...]:
        """The whole in parts that each fit a chat bubble, cut between sections."""
        pages = [self.title]
        for part in self._parts():
            if len(pages[-1]) + len(part) >= PAGE_LENGTH:
                pages.append(part)
            else:
                pages[-1] += f"\n{part}"
        return tuple(pages)

    def _parts(self) -> list[str]:
        return [f"{title}\n{text}" for title, text in self.sections]


def notice_of(support: Support, number: str = texts.NOTICE_NUMBER) -> Notice:
    """The notice with what is configured filled in. Its version changes with every change of its wording, and counts as
    a change that matters when the number or the place of storage does (`domain.covers`)."""
    facts = {
        "duty": _titles(Basis.DUTY),
        "consent": _titles(Basis.CONSENT),
        "storage": support.storage,
        "term": _term(support.pupil_kept_days),
        "officer": support.officer,
        "officer_phone": support.officer_phone,
        "complaint": support.complaint,
    }
    sections = tuple((title, text.format(**facts)) for title, text in texts.NOTICE_SECTIONS)
    wording = "\n".join([texts.NOTICE_TITLE, *(part for section in sections for part in section)])
    return Notice(
        version=f"{number}.{_fingerprint(support.storage)}.{_fingerprint(wording)}",
        title=texts.NOTICE_TITLE,
        sections=sections,
        short=texts.NOTICE_SHORT.format(**facts),
        officer=support.officer,
        officer_phone=support.officer_phone,
        complaint=support.complaint,
        left_out=texts.LEFT_OUT.format(**facts),
    )


def _titles(basis: Basis) -> str:
    return texts.BETWEEN.join(texts.ITEM_TITLES[item.name] for item in child_items(basis))


def _term(days: int) -> str:
    if days % _YEAR == 0:
        return texts.TERM_YEARS.format(count=days // _YEAR)
    return texts.TERM_DAYS.format(count=days)


def _fingerprint(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_FINGERPRINT]
