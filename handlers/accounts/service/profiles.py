"""What somebody may see and change about themselves at the mini-program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import Conflict, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts import texts
from handlers.accounts.domain import PRIVACY_VERSION, mask_phone
from handlers.accounts.models import Guardianship, Person, School
from handlers.accounts.service.ties import Ties
from handlers.accounts.service.wechat_ids import IdentityService


class PrivacyOutdated(Conflict):
    """Another version of the privacy notice than the one in force was agreed to."""

    code = "privacy_version_outdated"
    default_message = texts.PRIVACY_OUTDATED


@dataclass(frozen=True, slots=True)
class Profile:
    """Name as the school has it, None while unknown; the phone number masked, "" for none."""

    name: str | None = field(repr=False)
    phone: str


@dataclass(frozen=True, slots=True)
class OpenSchool:
    """A school one may ask to be bound at."""

    id: str
    name: str


class ProfileService:
    """The use cases of the actor with their own affairs."""

    def __init__(self, identities: IdentityService, ties: Ties) -> None:
        self._identities = identities
        self._ties = ties

    async def agree(self, actor: Actor, version: str) -> None:
        """The actor agrees to the privacy notice. Raises PrivacyOutdated, NotAuthenticated."""
        require(actor, Action.PROFILE_CHANGE)
        if version != PRIVACY_VERSION:
            raise PrivacyOutdated(details={"version": PRIVACY_VERSION})
        await self._identities.agree_as(actor)

    async def profile(self, actor: Actor) -> Profile:
        """The actor's own; empty for somebody not bound."""
        require(actor, Action.PROFILE_VIEW)
        person = await Person.get_or_none(id=actor.person_id) if actor.person_id else None
        return Profile(None, "") if person is None else Profile(person.name, mask_phone(person.phone))

    async def unbind_child(self, actor: Actor, child_id: str) -> None:
        """The actor does not see the child any more; what the roster says of them stays. Raises NotFound."""
        require(actor, Action.BINDING_UNDO)
        require(actor, Action.CHILD_VIEW, Subject(child_id=child_id))
        async with transaction():
            own = Guardianship.filter(person_id=actor.person_id, pupil_id=child_id, bound_at__not_isnull=True)
            row = await own.select_for_update().first()
            if row is None:
                raise NotFound
            await self._ties.disprove(actor, row, purpose="own_wish")

    async def open_schools(self, actor: Actor) -> Sequence[OpenSchool]:
        """All schools that are open, by name: public knowledge."""
        require(actor, Action.BINDING_REQUEST)
        rows = await School.filter(closed_on=None).order_by("name", "id").values_list("id", "name")
        return [OpenSchool(str(own), str(name)) for own, name in rows]
