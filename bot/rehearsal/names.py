"""Who people are, in words, for whoever reads a rehearsal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from bot.rehearsal import texts
from handlers.accounts.service.audience import Audience
from handlers.accounts.service.audiences import AccountsAudiences, Recipient


class Names:
    """Asks for each person once."""

    def __init__(self) -> None:
        self._audiences = AccountsAudiences()
        self._known: dict[str, str] = {}

    async def learn(self, person_ids: Collection[str], today: date) -> None:
        """Looks up those that are not known yet."""
        new = frozenset(person_ids) - self._known.keys()
        if not new:
            return
        self._known |= await self._audiences.names(new)
        meant = await self._audiences.people(Audience(person_ids=new), today)
        self._known |= {each.person_id: _in_words(each) for each in meant}

    def of(self, person_id: str) -> str:
        """Name, and of which child what, or charged with what; the name alone where nothing else is known; "" for
        nobody."""
        return self._known.get(person_id, "")


def _in_words(one: Recipient) -> str:
    if not one.children:
        return texts.STAFF.format(name=one.name, role=one.role) if one.role else one.name
    first = one.children[0]
    return texts.GUARDIAN.format(
        name=one.name,
        place=f"{first.school}{first.class_name}",
        children=texts.JOINT.join(child.name for child in one.children),
        role=one.role,
    )
