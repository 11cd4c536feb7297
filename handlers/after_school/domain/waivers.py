"""The life of a waiver: which hardships there are, one table of what may follow what, and who may do it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

LONGEST_NOTE: Final = 300
MOST_PICTURES: Final = 6
FULL: Final = 100


class WaiverState(StrEnum):
    """How far a family's request has come."""

    DRAFT = "draft"
    """Begun, or given back to the family: something is missing."""
    SUBMITTED = "submitted"
    CHECKED = "checked"
    """One person has looked at it; another one decides."""
    GRANTED = "granted"
    REFUSED = "refused"
    APPEALED = "appealed"
    """The family does not agree: a third person decides."""
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


_S = WaiverState

TRANSITIONS: Final[Mapping[WaiverState, frozenset[WaiverState]]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
    _S.SUBMITTED: frozenset({_S.DRAFT, _S.CHECKED, _S.WITHDRAWN}),
    _S.CHECKED: frozenset({_S.GRANTED, _S.REFUSED, _S.WITHDRAWN}),
    _S.REFUSED: frozenset({_S.APPEALED}),
    _S.APPEALED: frozenset({_S.GRANTED, _S.REFUSED, _S.WITHDRAWN}),
    _S.GRANTED: frozenset({_S.LAPSED, _S.WITHDRAWN}),
    _S.LAPSED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
OPEN: Final = frozenset({_S.DRAFT, _S.SUBMITTED, _S.CHECKED, _S.APPEALED})
"""At most one of a child: somebody still has to do something about it."""
WAITING: Final = (_S.SUBMITTED, _S.CHECKED, _S.APPEALED)
"""What waits for the staff, the nearest to an answer last."""


class Verdict(StrEnum):
    """What is decided."""

    GRANT = "grant"
    REFUSE = "refuse"


class IllegalWaiverMove(Conflict):
    """The case is not in a state from which this follows."""

    code = "waiver_state_conflict"
    default_message = "这件事现在不能这样办，请刷新看最新的情况。"


class WaiverOpen(Conflict):
    """There is an open case of the child already."""

    code = "waiver_open"
    default_message = "孩子已经有一件申请在办，不用再交。请看办理结果，或先撤回再重新申请。"


class SamePerson(Conflict):
    """Who has had to do with a case may not decide it."""

    code = "waiver_same_person"
    default_message = "这件事要由另一位工作人员来办：经手过的人和孩子的家长不能再审。请交给别人。"


class WaiverInvalid(InvalidInput):
    """What was filled in cannot be: the sentence says which field and why."""

    code = "waiver_invalid"
    default_message = "填写的内容不对，请改正后再试。"


class EvidenceMissing(InvalidInput):
    """Nothing shows it: the child is on no official list, and no picture has come."""

    code = "evidence_missing"
    default_message = "名单里没有查到，请先交一张证明材料的照片，再提交。"


class TooMuchEvidence(Conflict):
    """The case has as many pictures as it may have."""

    code = "too_much_evidence"
    default_message = f"一件申请最多交{MOST_PICTURES}张照片。材料不够时，请和学校联系。"


@dataclass(frozen=True, slots=True)
class Hardship:
    """One kind of hardship as it is shipped: what it is and what shows it. Whether a county waives anything for it, how
    much, since when and by which clause, is the township's to enter."""

    code: str
    title: str
    evidence: str
    has_list: bool


HARDSHIPS: Final[tuple[Hardship, ...]] = (
    Hardship("01", "脱贫家庭", "乡村振兴部门的名单，或脱贫手册", has_list=True),
    Hardship("02", "防止返贫监测对象", "乡村振兴部门的监测名单，或村里的证明", has_list=True),
    Hardship("03", "低保家庭", "民政部门的名单，或低保证", has_list=True),
    Hardship("04", "特困供养", "民政部门的名单，或特困供养证", has_list=True),
    Hardship("05", "孤儿", "民政部门的名单，或孤儿证明", has_list=True),
    Hardship("06", "事实无人抚养儿童", "民政部门的认定名单，或认定书", has_list=True),
    Hardship("07", "残疾学生或残疾人子女", "残联的名单，或残疾人证", has_list=True),
    Hardship("08", "烈士子女", "退役军人事务部门的证明", has_list=False),
    Hardship("09", "困难职工家庭", "工会的困难职工证明", has_list=False),
    Hardship("10", "家里有突发困难", "村（居）委会写的情况证明", has_list=False),
)
_BY_CODE: Final = {each.code: each for each in HARDSHIPS}


def hardship(code: str) -> Hardship:
    """The one of a code. Raises WaiverInvalid."""
    found = _BY_CODE.get(code)
    if found is None:
        raise WaiverInvalid("没有这个类别，请重新选择。")
    return found


@dataclass(frozen=True, slots=True)
class Hands:
    """Who has had to do with a case, as ids of people; None: nobody yet."""

    asked_by: str | None = None
    entered_by: str | None = None
    checked_by: str | None = None
    decided_by: str | None = None


def advance(state: WaiverState, to: WaiverState) -> WaiverState:
    """`to`, if it may follow. Raises IllegalWaiverMove."""
    if to not in TRANSITIONS[state]:
        raise IllegalWaiverMove(details={"from": state.value, "to": to.value})
    return to


def require_fresh(person_id: str | None, hands: Hands, family: Collection[str]) -> None:
    """That somebody may check or decide: a known person through whose hands the case has not gone, and who is not of
    the family. Raises SamePerson."""
    touched = {hands.asked_by, hands.entered_by, hands.checked_by, hands.decided_by, *family}
    if person_id is None or person_id in touched:
        raise SamePerson


def check_percent(percent: int) -> int:
    """How much is waived, in whole percent. Raises WaiverInvalid."""
    if not 1 <= percent <= FULL:
        raise WaiverInvalid("减免比例要在1到100之间，请改正后再试。")
    return percent


def check_words(text: str, name: str, *, required: bool = False) -> str:
    """What somebody wrote, without space around it. Raises WaiverInvalid, naming the field."""
    said = text.strip()
    if required and not said:
        raise WaiverInvalid(f"请填写{name}，再试一次。")
    if len(said) > LONGEST_NOTE:
        raise WaiverInvalid(f"{name}最多{LONGEST_NOTE}个字，请写短一些。")
    return said


@dataclass(frozen=True, slots=True)
class Span:
    """A term by its name and days."""

    name: str
    first_day: date
    last_day: date


def terms_to_grant(spans: Collection[Span], today: date) -> list[Span]:
    """The terms a waiver may be given for: those that are not over, the nearest first."""
    return sorted((each for each in spans if each.last_day >= today), key=lambda each: each.first_day)


def lapse_of(terms: Collection[Span]) -> date:
    """The last day of the last of the terms. Raises WaiverInvalid for none."""
    if not terms:
        raise WaiverInvalid("请至少选一个学期，再试一次。")
    return max(each.last_day for each in terms)


def masked(name: str) -> str:
    """A name on a public list: the first sign, and one mark for each of the others but at least one."""
    return name[:1] + "*" * max(1, len(name) - 1)
