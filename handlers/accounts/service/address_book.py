"""Where people are reached: their ids at the 服务号 and the mini-program, and with whom they share a day's messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.clock import Clock, local_date
from bot.delivery.pushes import Address
from bot.storage.sets import as_value, mark, select_ids
from handlers.accounts.domain import Account
from handlers.accounts.models import Person, WeChatIdentity
from handlers.accounts.service.audience_sql import POSTGRES

# Families of more than so many steps (the child's mother, her other child, its father, …) are not followed further.
_MOST_STEPS: Final = 6
# Who has to do with somebody there today: looks after a child at school and is not kept from it, or is charged with
# something.
_TIES: Final = """
SELECT CAST(g.person_id AS TEXT) AS person, CAST(g.pupil_id AS TEXT) AS child
  FROM accounts_guardianship g
       JOIN accounts_pupil u ON u.id = g.pupil_id
       JOIN accounts_person p ON p.id = g.person_id
 WHERE g.{column} IN ({ids}) AND g.ended_on IS NULL AND u.status = 'enrolled' AND NOT p.is_erased AND NOT EXISTS (
       SELECT 1 FROM accounts_bar b
        WHERE b.pupil_id = g.pupil_id AND b.person_id = g.person_id AND b.since <= {day}
          AND (b.until IS NULL OR b.until >= {day}))"""
_STAFF: Final = """
SELECT DISTINCT CAST(t.person_id AS TEXT) AS person
  FROM accounts_appointment t JOIN accounts_person p ON p.id = t.person_id
 WHERE t.person_id IN ({ids}) AND t.since <= {day} AND (t.until IS NULL OR t.until >= {day}) AND NOT p.is_erased"""


class AccountsAddressBook:
    """An `AddressBook` over the people on the roster and those on the staff."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        """By person. Whoever is not there any more is left out; who has no phone known to us has no ids."""
        if not person_ids:
            return {}
        ties = await self._ties("person_id", person_ids)
        staff = {row["person"] for row in await self._found(_STAFF, person_ids)}
        there = {person for person, _ in ties} | staff
        families = await self._families(ties)
        phones = await _phones(there)
        return {
            person: Address(person_id=person, family=families.get(person, person), **phones.get(person, {}))
            for person in there
        }

    async def _families(self, ties: Sequence[tuple[str, str]]) -> Mapping[str, str]:
        """The smallest child of everybody who is joined through children: so all who look after the same children have
        the same, and so have those of their half-sisters."""
        known, people, new = set(ties), {person for person, _ in ties}, {child for _, child in ties}
        children = set(new)
        for _ in range(_MOST_STEPS):
            of_children = await self._ties("pupil_id", new) if new else []
            known.update(of_children)
            others = {person for person, _ in of_children} - people
            people |= others
            of_people = await self._ties("person_id", others) if others else []
            known.update(of_people)
            new = {child for _, child in of_people} - children
            children |= new
            if not new:
                break
        return _smallest(known)

    async def _ties(self, column: str, ids: Collection[str]) -> list[tuple[str, str]]:
        return [(row["person"], row["child"]) for row in await self._found(_TIES, ids, column=column)]

    async def _found(self, query: str, ids: Collection[str], **names: str) -> list[dict[str, Any]]:
        connection = Person._meta.db
        engine, today = str(connection.capabilities.dialect), local_date(self._clock.now())
        sql = query.format(ids=select_ids(engine, 1), day=mark(engine, 2), **names)
        day = today if engine == POSTGRES else today.isoformat()
        return list(await connection.execute_query_dict(sql, [as_value(engine, ids), day]))


def _smallest(ties: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By person the smallest child among all that are joined with theirs."""
    children: dict[str, list[str]] = {}
    for person, child in ties:
        children.setdefault(person, []).append(child)
    root: dict[str, str] = {}

    def found(child: str) -> str:
        while root.setdefault(child, child) != child:
            child = root[child]
        return child

    for own in children.values():
        first = min(map(found, own))
        for child in own:
            root[found(child)] = first
    return {person: found(own[0]) for person, own in children.items()}


async def _phones(person_ids: Collection[str]) -> Mapping[str, dict[str, str]]:
    """The ids of each, as an address takes them."""
    rows = WeChatIdentity.filter(person_id__in=list(person_ids)).order_by("bound_at", "id")
    phones: dict[str, dict[str, str]] = {}
    for person, account, openid, index in await rows.values_list("person_id", "account", "openid", "openid_index"):
        prefix = "" if account == Account.SERVICE else "mini_program_"
        phones.setdefault(str(person), {}).update({f"{prefix}openid": openid, f"{prefix}openid_index": index})
    return phones
