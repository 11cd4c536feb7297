"""States and rules of notices: what may follow what, who must confirm, what an answer is. No I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from bot.errors import Conflict, InvalidInput, NotPermitted
from handlers.accounts.service.audience import Audience

LONGEST_TITLE: Final = 40
LONGEST_TEXT: Final = 500
LONGEST_QUESTION: Final = 60
LONGEST_CHOICE: Final = 30
LONGEST_ANSWER: Final = 200
LONGEST_ADDRESS: Final = 500
MOST_QUESTIONS: Final = 6
MOST_CHOICES: Final = 9
MOST_LINKS: Final = 5
# Stands in a recipient's row where no child is concerned: staff are told for themselves.
NO_CHILD: Final = "00000000-0000-0000-0000-000000000000"


class NoticeState(StrEnum):
    """How far a notice has come."""

    DRAFT = "draft"
    WAITING = "waiting"
    """For the signature of a second person."""
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    """Every promise has ended in a state; confirmations may still come."""
    CLOSED = "closed"
    RECALLED = "recalled"
    """What was unsent never goes out; who was told before sees that it is withdrawn."""


class Deed(StrEnum):
    """What moves a notice on."""

    SUBMIT = "submit"
    SCHEDULE = "schedule"
    APPROVE = "approve"
    REJECT = "reject"
    TAKE_BACK = "take_back"
    BEGIN = "begin"
    FINISH = "finish"
    CLOSE = "close"
    RECALL = "recall"


_S, _D = NoticeState, Deed
MOVES: Final[Mapping[tuple[NoticeState, Deed], NoticeState]] = {
    (_S.DRAFT, _D.SUBMIT): _S.WAITING,
    (_S.DRAFT, _D.SCHEDULE): _S.SCHEDULED,
    (_S.WAITING, _D.APPROVE): _S.SCHEDULED,
    (_S.WAITING, _D.REJECT): _S.DRAFT,
    (_S.WAITING, _D.TAKE_BACK): _S.DRAFT,
    (_S.SCHEDULED, _D.TAKE_BACK): _S.DRAFT,
    (_S.SCHEDULED, _D.BEGIN): _S.SENDING,
    (_S.SENDING, _D.FINISH): _S.SENT,
    (_S.SENDING, _D.RECALL): _S.RECALLED,
    (_S.SENT, _D.RECALL): _S.RECALLED,
    (_S.SENDING, _D.CLOSE): _S.CLOSED,
    (_S.SENT, _D.CLOSE): _S.CLOSED,
}
OUT: Final = frozenset({_S.SENDING, _S.SENT, _S.CLOSED, _S.RECALLED})
"""States in which the recipients are fixed, and somebody may have been told."""
LIVE: Final = frozenset({_S.SENDING, _S.SENT})
"""States in which confirmations are taken."""


class Confirmation(StrEnum):
    """What is wanted of a family."""

    NONE = "none"
    OPENED = "opened"
    BUTTON = "button"
    FORM = "form"


class Who(StrEnum):
    """Whose confirmation a child needs."""

    ANY = "any"
    EACH = "each"
    ACTING = "acting"
    """The guardian who looks after the child day by day; any of them where none is named."""


class How(StrEnum):
    """Which way a confirmation came, or somebody was told."""

    LINK = "link"
    CHAT = "chat"
    API = "api"
    PHONE = "phone"
    PAPER = "paper"
    IN_PERSON = "in_person"


BY_HAND: Final = frozenset({How.PHONE, How.PAPER, How.IN_PERSON})


class QuestionKind(StrEnum):
    """How a question of a form is answered."""

    CHOICE = "choice"
    TEXT = "text"
    DATE = "date"


# ------------------------------------------------------------------------------------------------------------- errors
class IllegalNoticeMove(Conflict):
    """The notice is not in a state in which this can be done."""

    code = "illegal_notice_move"
    default_message = "这条通知现在不能这样办，可能别人刚办过。请刷新看看它的状态。"


class NoticeChanged(Conflict):
    """The notice is not the one that was looked at."""

    code = "notice_changed_meanwhile"
    default_message = "这条通知刚刚被改过，请重新看一遍再办。"


class SameSignature(NotPermitted):
    """The second signature must be another person's."""

    code = "same_signature"
    default_message = "写通知的人不能自己审批，请请另一位有审批权限的同事来办。"


class NoticeInvalid(InvalidInput):
    """Something in the notice cannot be kept; `message` says what and how to put it right."""

    code = "notice_invalid"


class NoticeRefused(InvalidInput):
    """The words may not go out; `details` lists what was found."""

    code = "notice_refused"


class NobodyToTell(InvalidInput):
    """The audience is empty."""

    code = "nobody_to_tell"
    default_message = "这个范围里没有可以通知的人，请重新选择范围。"


class NotOpenForConfirmation(Conflict):
    """Confirmations are not taken (any more)."""

    code = "not_open_for_confirmation"
    default_message = "这条通知现在不用确认了。有疑问请联系班主任。"


class NotByHand(Conflict):
    """Nobody on the staff has entered anything for this family."""

    code = "not_by_hand"
    default_message = "这一家现在没有老师代为登记，不用撤销。请刷新页面看最新情况。"


class AnswerInvalid(InvalidInput):
    """An answer does not fit its question; `details` names the question."""

    code = "answer_invalid"


class TooSoon(Conflict):
    """Families were reminded a short while ago, or often enough."""

    code = "too_soon"
    default_message = "刚刚提醒过，或者已经提醒够次数了。还没回应的家庭，请改用电话联系。"


def advance(current: NoticeState, deed: Deed) -> NoticeState:
    """The state after a deed. Raises IllegalNoticeMove."""
    following = MOVES.get((current, deed))
    if following is None:
        raise IllegalNoticeMove(details={"state": current.value, "deed": deed.value})
    return following


# ------------------------------------------------------------------------------------------------------------- values
@dataclass(frozen=True, slots=True)
class Question:
    """A question of a form. `choices` only for a choice; `key` names the answer, unique in the form."""

    key: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...] = ()
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A picture or a file of ours or the school's, by its address."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a notice is for. `source` and `choice`: of the audience only the children another capability chooses (signed
    up for something, absent today)."""

    audience: Audience
    source: str = ""
    choice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContent:
    """What an author writes. `send_at` None: as soon as it may; `remind_hours` and `remind_times`: second sends to who
    has not confirmed. `is_material` matters for a correction only: the change reopens confirmations."""

    title: str
    text: str
    target: Target
    links: tuple[Link, ...] = ()
    deadline: datetime | None = None
    confirmation: Confirmation = Confirmation.NONE
    who: Who = Who.ANY
    questions: tuple[Question, ...] = ()
    is_urgent: bool = False
    send_at: datetime | None = None
    remind_hours: int = 24
    remind_times: int = 1
    is_material: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed about the words. `is_block`: it may not go out so. `message`: what it is and how to say it."""

    code: str
    message: str
    is_block: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who has confirmed for a child."""

    person_id: str
    is_acting: bool
    is_done: bool


# -------------------------------------------------------------------------------------------------------------- rules
def needs_second(content: NoticeContent, people: int, limit: int) -> bool:
    """Whether a second person has to sign: for urgent ones, and above a number of people."""
    return content.is_urgent or people > limit


def is_satisfied(who: Who, guardians: Iterable[Confirmed], *, by_hand: bool = False) -> bool:
    """Whether a child's confirmation is complete. `by_hand`: a teacher ticked that the family was told and agreed."""
    known = list(guardians)
    if by_hand:
        return True
    if who is Who.EACH:
        return bool(known) and all(each.is_done for each in known)
    acting = [each for each in known if each.is_acting]
    wanted = acting if who is Who.ACTING and acting else known
    return any(each.is_done for each in wanted)


def checked_content(content: NoticeContent, now: datetime) -> NoticeContent:
    """The content with blanks taken off. Raises NoticeInvalid for what cannot be kept at all."""
    title, text = " ".join(content.title.split()), content.text.strip()
    _demand(0 < len(title) <= LONGEST_TITLE, f"标题要写，最多{LONGEST_TITLE}个字，请改短一些。")
    _demand(0 < len(text) <= LONGEST_TEXT, f"正文要写，最多{LONGEST_TEXT}个字（现在{len(text)}个），请改短一些。")
    _demand(len(content.links) <= MOST_LINKS, f"链接最多{MOST_LINKS}个，请去掉几个。")
    for link in content.links:
        check_link(link)
    _check_form(content)
    _demand(content.deadline is None or content.deadline > now, "截止时间已经过去，请改成以后的时间。")
    _demand(
        content.deadline is None or content.send_at is None or content.send_at < content.deadline,
        "发送时间要早于截止时间，请改一下。",
    )
    _demand(0 <= content.remind_times <= 3 and 4 <= content.remind_hours <= 240, "再次提醒最多3次，间隔4到240小时。")
    return replace(content, title=title, text=text)


def check_link(link: Link) -> None:
    """An https address with a host and nothing odd in it. Raises NoticeInvalid."""
    parts = urlsplit(link.url)
    host = parts.hostname or ""
    is_fine = (
        parts.scheme == "https"
        and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*", host) is not None
        and parts.username is None
        and not re.search(r"[\s<>\"'\\]", link.url)
        and len(link.url) <= LONGEST_ADDRESS
    )
    _demand(is_fine, "链接要以 https:// 开头，写完整网址，请核对。")
    _demand(0 < len(link.title.strip()) <= LONGEST_TITLE, f"请给链接写个名称，最多{LONGEST_TITLE}个字。")


def _check_form(content: NoticeContent) -> None:
    questions = content.questions
    _demand(
        (content.confirmation is Confirmation.FORM) == bool(questions), "选“填写回执”时要有问题，其他方式不用写问题。"
    )
    _demand(len(questions) <= MOST_QUESTIONS, f"问题最多{MOST_QUESTIONS}个，请去掉几个。")
    keys = [each.key for each in questions]
    are_fine = all(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key) for key in keys) and len(set(keys)) == len(keys)
    _demand(are_fine, "问题的编号不对或重复了，请刷新后重新填写。")
    for each in questions:
        _demand(0 < len(each.text.strip()) <= LONGEST_QUESTION, f"每个问题要写，最多{LONGEST_QUESTION}个字。")
        is_choice = each.kind is QuestionKind.CHOICE
        _demand(is_choice == bool(each.choices), "单选题要有选项，其他题不要选项。")
        _demand(not is_choice or 2 <= len(each.choices) <= MOST_CHOICES, f"选项要有2到{MOST_CHOICES}个。")
        _demand(all(0 < len(one.strip()) <= LONGEST_CHOICE for one in each.choices), "选项不能空，也不能太长。")
        _demand(len(set(each.choices)) == len(each.choices), "选项有重复的，请改一下。")


def checked_answers(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, str]:
    """The answers as they are kept: a choice in its words, a date as 2026-09-08. Raises AnswerInvalid."""
    unknown = set(given) - {each.key for each in questions}
    if unknown:
        raise AnswerInvalid("回执里有这份通知没有的问题，请刷新后重新填写。", details={"questions": sorted(unknown)})
    answers: dict[str, str] = {}
    for number, each in enumerate(questions, 1):
        said = given.get(each.key, "").strip()
        if said:
            answers[each.key] = _answer(each, said, number)
        elif each.is_required:
            raise AnswerInvalid(f"第{number}题“{each.text}”还没有回答，请补上。", details={"question": each.key})
    return answers


def _answer(question: Question, said: str, number: int) -> str:
    if question.kind is QuestionKind.CHOICE:
        if said in question.choices:
            return said
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(question.choices):
            return question.choices[int(said) - 1]
        raise AnswerInvalid(f"第{number}题请从选项里选一个。", details={"question": question.key})
    if question.kind is QuestionKind.DATE:
        try:
            return date.fromisoformat(said).isoformat()
        except ValueError:
            raise AnswerInvalid(f"第{number}题请填日期，例如2026-09-08。", details={"question": question.key}) from None
    if len(said) > LONGEST_ANSWER:
        raise AnswerInvalid(f"第{number}题最多写{LONGEST_ANSWER}个字。", details={"question": question.key})
    return said


def _demand(holds: bool, sentence: str) -> None:
    if not holds:
        raise NoticeInvalid(sentence)


# ------------------------------------------------------------------------------------------------------------ overlap
def overlaps(one: Audience, other: Audience, school_of: Mapping[str, str]) -> bool:
    """Whether two audiences may have a child in common. `school_of`: the school of each class that is named."""
    if one.township_id != other.township_id:
        return False
    if one.pupil_ids and other.pupil_ids:
        return bool(one.pupil_ids & other.pupil_ids)
    if not _grades_meet(one.span, other.span):
        return False
    if one.classes and other.classes:
        return bool(one.classes & other.classes)
    schools = [_schools(each, school_of) for each in (one, other)]
    return not all(schools) or bool(schools[0] & schools[1])


def _schools(audience: Audience, school_of: Mapping[str, str]) -> set[str]:
    return {*audience.schools, *(school_of[each] for each in audience.classes if each in school_of)}


def _grades_meet(one: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    return one is None or other is None or (one[0] <= other[1] and other[0] <= one[1])
