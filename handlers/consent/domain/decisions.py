"""What guardians decide, how consent stands by it, and what it allows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bot.errors import Conflict, InvalidInput
from handlers.consent.domain.register import Basis, Item


class Decision(StrEnum):
    """What a guardian decided for a child."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """How consent for a child stands, over all their guardians."""

    UNASKED = "unasked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"
    """Given to a notice that has changed in what matters since: asked anew, and until then as if not given."""


class NoticeChanged(Conflict):
    """The decision was about another version of the notice; `details` names the one in force."""

    code = "notice_changed"
    default_message = "告知内容已经更新，请看过新的内容再决定。"


class AskFirst(Conflict):
    """The guardian has decided since they signed the form: whoever enters it asks them first."""

    code = "ask_first"
    default_message = "这位监护人在签字当天或以后另有决定。请先问本人，确认以这份表为准，再登记。"


class FormInvalid(InvalidInput):
    """What was entered cannot be what stands on a signed form."""

    code = "form_invalid"
    default_message = "请对照纸上的内容，把监护人、决定和签字日期填完整。"


class NothingToWithdraw(Conflict):
    """There is no consent that could be withdrawn."""

    code = "nothing_to_withdraw"
    default_message = "还没有同意过，不用撤回。回复“儿童信息授权”可以查看说明。"


def covers(agreed: str, current: str) -> bool:
    """Whether consent to one version of the notice still holds under another.

    A version is number, fingerprint of the place of storage, fingerprint of the wording, with points between. The
    number is raised for every change that matters (purposes, scope, term); another wording of the same changes nothing.
    """
    return matter_of(agreed) == matter_of(current)


def matter_of(version: str) -> str:
    """The part of a version that changes with what matters: number and place of storage."""
    return ".".join(version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Decided:
    """What one guardian decided for a child. `items` are those a consent was for, by name."""

    person_id: str
    decision: Decision
    version: str
    at: datetime
    items: frozenset[str] = frozenset()


def last_of_each(decided: Iterable[Decided]) -> dict[str, Decided]:
    """The last decision of each guardian, by their id."""
    last: dict[str, Decided] = {}
    for one in decided:
        known = last.get(one.person_id)
        if known is None or known.at <= one.at:
            last[one.person_id] = one
    return last


def standing_of(decided: Iterable[Decided], custody: Collection[str], current: str) -> Standing:
    """How consent stands, from everything that was decided, for the guardians who have custody now.

    One who has refused or withdrawn stops it, whatever others said, until they themselves think otherwise. Who has no
    custody any more, or is barred, counts neither way.
    """
    last = [one for person, one in last_of_each(decided).items() if person in custody]
    against = [one for one in last if one.decision is not Decision.GIVEN]
    if against:
        return Standing(max(against, key=lambda one: (one.at, one.person_id)).decision.value)
    if not last:
        return Standing.UNASKED
    return Standing.GIVEN if any(covers(one.version, current) for one in last) else Standing.OUTDATED


def is_answered(standing: Standing) -> bool:
    """Whether there is nothing to ask the family: they said yes or no to what is in force."""
    return standing not in (Standing.UNASKED, Standing.OUTDATED)


def is_allowed(item: Item, decided: Iterable[Decided], custody: Collection[str], current: str) -> bool:
    """Whether something may be kept or used: what rests on a duty always, anything else only where consent stands and
    was for it."""
    if item.basis is Basis.DUTY:
        return True
    decided = list(decided)
    if standing_of(decided, custody, current) is not Standing.GIVEN:
        return False
    last = [one for person, one in last_of_each(decided).items() if person in custody]
    return any(item.name.value in one.items for one in last if covers(one.version, current))


def is_declined(item: Item, decided: Iterable[Decided], custody: Collection[str], current: str) -> bool:
    """Whether the family was asked about something that rests on consent, and it is not allowed. Who was never asked
    has declined nothing."""
    decided = list(decided)
    if item.basis is Basis.DUTY or standing_of(decided, custody, current) is Standing.UNASKED:
        return False
    return not is_allowed(item, decided, custody, current)


class ErasureKind(StrEnum):
    """What was erased, and so what a restored backup must be made to forget again."""

    STOPPED = "consent.stopped"
    """A guardian refused or withdrew: the subject is child and guardian (`pair_of`)."""
    CONSENTED = "child.consented"
    """What rested on consent, of a child."""
    CHILD = "child"
    """Whatever told who a child was."""
    WECHAT = "wechat"
    """Everything about a WeChat id, by its blind index."""


def pair_of(child_id: str, person_id: str) -> str:
    """Two ids as one word of 64 signs."""
    return UUID(child_id).hex + UUID(person_id).hex


def parted(pair: str) -> tuple[str, str]:
    """The two ids of `pair_of`."""
    return str(UUID(pair[:32])), str(UUID(pair[32:]))
