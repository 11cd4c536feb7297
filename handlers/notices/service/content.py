"""Looking at the words of a notice before they go out: labels, days that cannot be, and what contradicts the calendar
or another notice. Pure: what is known of days and of other notices is given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from handlers.notices import texts
from handlers.notices.domain import Finding, NoticeContent

# A day without a year that lies further back than this is meant for the next year.
_LONG_PAST: Final = timedelta(days=120)
_WEEKDAY: Final = r"(?:\s*[（(]?\s*(?:星期|周|礼拜)(?P<weekday>[一二三四五六日天])\s*[)）]?)?"
_DAY: Final = re.compile(
    r"(?:(?P<year>20\d\d)\s*[年.\-/]\s*)?(?P<month>\d{1,2})\s*(?:月|(?<=\d)[.\-/](?=\d{1,2}[日号]))"
    rf"\s*(?P<day>\d{{1,2}})\s*[日号]?{_WEEKDAY}"
)
_NEAR: Final = re.compile(
    r"(?P<back>大后天|后天|今[天日晚早]|明[天日晚早])|(?P<week>本|这|下)(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
)
_STEPS: Final = {"今": 0, "明": 1, "后": 2, "大": 3}
_CLAUSE: Final = re.compile(r"[。；;！!？?\n，,]+")
_LESSONS: Final = re.compile(r"(?<!不)(?<!停)(?:正常|照常|恢复)?(?:上课|上学|到校上课)")
_OFF: Final = re.compile(r"放假|不上课|不上学|停课|休息(?!室|时)")
_FEE: Final = re.compile(r"(\d+(?:\.\d{1,2})?)\s*(?:元|块钱)")
_MATTERS: Final = (
    "家长会", "开学", "放假", "报名", "体检", "疫苗", "接种", "春游", "秋游", "研学", "运动会", "期中", "期末", "考试",
    "校服", "餐费", "伙食费", "作业本费", "保险", "课后服务", "缴费", "收费", "家访", "返校", "报到", "停课", "补课",
)  # fmt: skip
_LABELS: Final = tuple((re.compile(pattern), what, how) for pattern, what, how in texts.LABELS)
_WEEKDAYS: Final = {sign: number for number, sign in enumerate("一二三四五六日", 1)} | {"天": 7}


class Days(Protocol):
    """What the calendar of the schools concerned says."""

    @property
    def terms(self) -> Sequence[object]:
        """None: nothing is known."""
        ...

    def is_school_day(self, day: date) -> bool:
        """Whether there are lessons."""
        ...

    def is_provisional(self, day: date, until: date | None = None) -> bool:
        """Whether the year has no table yet."""
        ...


@dataclass(frozen=True, slots=True)
class SaidDay:
    """A day named in a text, as it was said. `day` None: no such day. `weekday`: 1 for Monday, None: not said."""

    said: str
    day: date | None
    weekday: int | None


@dataclass(frozen=True, slots=True)
class Other:
    """Another notice to some of the same people."""

    number: int
    title: str
    text: str
    written_on: date


def labels_in(content: NoticeContent) -> list[Finding]:
    """Words that brand a child or a family, anywhere in what would be read. Each blocks."""
    questions = [part for each in content.questions for part in (each.text, *each.choices)]
    parts = [content.title, content.text, *(link.title for link in content.links), *questions]
    found: dict[str, Finding] = {}
    for part in parts:
        # Signs between the characters hide nothing: 留-守, 留 守.
        plain = re.sub(r"[\s·.\-_*|/]+", "", unicodedata.normalize("NFKC", part))
        for pattern, what, how in _LABELS:
            for match in pattern.finditer(plain):
                sentence = texts.LABEL_FOUND.format(word=match[0], what=what, how=how)
                found.setdefault(match[0], Finding("label", sentence, is_block=True, where=match[0]))
    return list(found.values())


def days_in(text: str, today: date) -> list[SaidDay]:
    """The days a text names, in their order; words like tomorrow count from `today`."""
    found = [(match.start(), _said(match, today)) for match in _DAY.finditer(text)]
    found += [(match.start(), _near(match, today)) for match in _NEAR.finditer(text)]
    return [said for _, said in sorted(found, key=lambda each: each[0])]


def notes_on(text: str, written_on: date) -> list[str]:
    """What words like tomorrow mean, for somebody who reads them on another day."""
    meant = {match[0]: _near(match, written_on).day for match in _NEAR.finditer(text)}
    return [texts.RELATIVE.format(said=said, day=spoken(day)) for said, day in meant.items() if day is not None]


def day_findings(text: str, today: date, days: Days | None) -> list[Finding]:
    """Days that cannot be, are over, or are not what the calendar says."""
    found: list[Finding] = []
    for clause in _CLAUSE.split(text):
        for said in days_in(clause, today):
            found += _of_day(said, clause, today, days)
    return list({each.message: each for each in found}.values())


def _of_day(said: SaidDay, clause: str, today: date, days: Days | None) -> list[Finding]:
    day = said.day
    if day is None:
        return [Finding("no_such_day", texts.NO_SUCH_DAY.format(said=said.said))]
    found = []
    if said.weekday is not None and said.weekday != day.isoweekday():
        right = texts.WEEKDAYS[day.weekday()]
        found.append(Finding("wrong_weekday", texts.WRONG_WEEKDAY.format(said=said.said, day=day, weekday=right)))
    if day < today:
        found.append(Finding("past", texts.DAY_IS_PAST.format(day=day)))
    lessons, off = bool(_LESSONS.search(clause)), bool(_OFF.search(clause))
    if days is None or not days.terms or lessons == off:
        return found
    if lessons != days.is_school_day(day):
        sentence = texts.NO_LESSONS if lessons else texts.HAS_LESSONS
        found.append(Finding("no_lessons" if lessons else "has_lessons", sentence.format(day=day)))
    elif days.is_provisional(day):
        found.append(Finding("provisional", texts.PROVISIONAL.format(day=day)))
    return found


def contradictions(title: str, text: str, today: date, others: Iterable[Other]) -> list[Finding]:
    """Other notices that speak of the same matter with another day, or another sum."""
    whole = f"{title}。{text}"
    matters, ours, fees = _matters(whole), _days(whole, today), _fees(whole)
    found: list[Finding] = []
    for other in others:
        theirs = f"{other.title}。{other.text}"
        shared = [matter for matter in matters if matter in _matters(theirs)]
        if not shared:
            continue
        known = {"number": other.number, "title": other.title, "matter": shared[0]}
        days, sums = _days(theirs, other.written_on), _fees(theirs)
        if ours and days and not ours & days:
            said = {"ours": _listed(map(spoken, sorted(ours))), "theirs": _listed(map(spoken, sorted(days)))}
            found.append(Finding("other_date", texts.OTHER_DATE.format(**known, **said)))
        if fees and sums and not fees & sums:
            said = {"ours": _listed(sorted(fees)), "theirs": _listed(sorted(sums))}
            found.append(Finding("other_fee", texts.OTHER_FEE.format(**known, **said)))
    return found


def spoken(day: date) -> str:
    """9月8日（星期二）."""
    return texts.DAY.format(day=day, weekday=texts.WEEKDAYS[day.weekday()])


def _said(match: re.Match[str], today: date) -> SaidDay:
    weekday = _WEEKDAYS[match["weekday"]] if match["weekday"] else None
    try:
        day = date(int(match["year"] or today.year), int(match["month"]), int(match["day"]))
        if not match["year"] and today - day > _LONG_PAST:
            day = date(today.year + 1, day.month, day.day)
    except ValueError:
        return SaidDay(match[0].strip(), None, weekday)
    return SaidDay(match[0].strip(), day, weekday)


def _near(match: re.Match[str], today: date) -> SaidDay:
    if match["back"]:
        return SaidDay(match[0], today + timedelta(days=_STEPS[match["back"][0]]), None)
    weeks = 1 if match["week"] == "下" else 0
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
    return SaidDay(match[0], monday + timedelta(days=_WEEKDAYS[match["weekday"]] - 1), None)


def _matters(text: str) -> list[str]:
    return [matter for matter in _MATTERS if matter in text]


def _days(text: str, today: date) -> set[date]:
    return {said.day for said in days_in(text, today) if said.day is not None}


def _fees(text: str) -> set[str]:
    return {f"{float(sum_):g}元" for sum_ in _FEE.findall(text)}


def _listed(words: Iterable[str]) -> str:
    return texts.AND.join(words)
