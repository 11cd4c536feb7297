"""Offers in words, for pages and paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from bot.clock import to_local
from handlers.accounts.domain import grade_name
from handlers.after_school.domain.fees import Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Hours
from handlers.after_school.domain.plans import FeePayer
from handlers.after_school.service.offering.views import Finding, PlacesEffect, ProgrammeLine
from handlers.after_school.texts import offering as texts

_FEN: Final = Decimal(100)


def yuan(fen: int) -> str:
    """3, 3.50: as it stands on a bill."""
    whole = Decimal(fen) / _FEN
    return str(int(whole)) if fen % 100 == 0 else f"{whole:.2f}"


def fee_words(fee: Fee, payer: FeePayer = FeePayer.FAMILY) -> str:
    """每次3元."""
    if fee.basis is FeeBasis.FREE:
        return texts.FREE
    words = (texts.PER_TERM if fee.basis is FeeBasis.PER_TERM else texts.PER_LESSON).format(yuan=yuan(fee.amount_fen))
    return texts.PAID_BY_PUBLIC.format(fee=words) if payer is FeePayer.PUBLIC else words


def grades_words(grades: Grades) -> str:
    """三年级到六年级."""
    lowest, highest = grade_name(grades.lowest), grade_name(grades.highest)
    return lowest if lowest == highest else texts.GRADES.format(lowest=lowest, highest=highest)


def hours_words(hours: Hours) -> str:
    """每周一、三、五 16:00—17:20."""
    days = texts.JOIN_DAYS.join(texts.WEEKDAYS[day - 1] for day in sorted(hours.weekdays))
    times = texts.HOURS.format(start=hours.starts_at.isoformat("minutes"), end=hours.ends_at.isoformat("minutes"))
    return f"{texts.WEEK.format(days=days)} {times}"


def day_words(day: date) -> str:
    """9月30日（星期三）."""
    return texts.DAY.format(month=day.month, day=day.day, weekday=texts.WEEKDAYS[day.isoweekday() - 1])


def span_words(first: date, last: date) -> str:
    """One day, or from when until when."""
    one = day_words(first)
    return one if first == last else texts.SPAN.format(first=one, last=day_words(last))


def days_words(days: Iterable[date]) -> str:
    """All of them, one after another."""
    return texts.JOIN_DAYS.join(day_words(day) for day in sorted(days))


def second_words(at: datetime) -> str:
    """A moment as a clock on the wall shows it; with seconds where they count."""
    local = to_local(at)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def finding_words(finding: Finding) -> str:
    """What is noticed, and what to do."""
    about = finding.about
    if finding.code.value in {"idle_window", "grade_without"}:
        about = grade_name(int(about))
    known = {"about": about, "asked": "", "allowed": "", "clause": ""}
    if finding.excess is not None:
        excess = finding.excess
        known["asked"] = texts.OVER_PER_TERM.format(yuan=yuan(excess.asked_fen))
        over = texts.OVER_PER_LESSON if excess.per is FeeBasis.PER_LESSON else texts.OVER_PER_TERM
        known |= {"allowed": over.format(yuan=yuan(excess.allowed_fen)), "clause": excess.cap.clause}
    return texts.FINDINGS[finding.code.value].format(**known)


def places_words(places: int | None) -> str:
    """45, or without limit."""
    return texts.UNLIMITED if places is None else str(places)


def effect_words(effect: PlacesEffect) -> list[str]:
    """What another number of places means."""
    pool = effect.pool
    before, after = places_words(pool.places), places_words(effect.places)
    found = [texts.PLACES_FROM_TO.format(before=before, after=after, taken=pool.taken, waiting=pool.waiting)]
    if effect.over:
        found.append(texts.PLACES_OVER.format(over=effect.over))
    if effect.offered:
        found.append(texts.PLACES_OFFERED.format(offered=effect.offered))
    if not effect.over and not effect.offered:
        found.append(texts.PLACES_NOBODY)
    return found


def line_words(line: ProgrammeLine) -> dict[str, str]:
    """A programme's cells."""
    return {
        "title": line.title,
        "grades": grades_words(line.grades),
        "hours": hours_words(line.hours),
        "fee": fee_words(line.fee, line.fee_payer),
        "teacher": line.teacher,
        "room": line.room,
        "pick_up": line.pick_up_point,
        "selection": texts.SELECTIONS[line.selection.value],
    }


WORDS: Final[dict[str, Any]] = texts.SHOWN | {
    "yuan": yuan,
    "fee": fee_words,
    "grade": grade_name,
    "grades": grades_words,
    "hours": hours_words,
    "day": day_words,
    "second": second_words,
    "span": span_words,
    "places": places_words,
    "finding": finding_words,
    "line": line_words,
}
"""For the templates."""
