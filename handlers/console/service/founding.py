"""The first administrator, made from the command line: the township, the person, the appointment, the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import SYSTEM
from bot.rights import Action, Subject
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.values import AppointmentValues, PersonValues
from handlers.accounts.service.writing import Writer, one
from handlers.console.service.credentials import CredentialService

# A township nobody has named yet.
ONLY_TOWNSHIP: Final = "本镇"


class UnknownTownship(NotFound):
    """There are several townships, and none was named."""

    code = "unknown_township"
    default_message = "没有写清楚是哪个乡镇，请用 --township 写出它的全名。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """Who is to administer what. `township` "": the only one there is, or the first."""

    name: str
    login: str
    password: str = field(repr=False)
    phone: str | None = None
    township: str = ""


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made. `is_new_township`: it was not there before."""

    person_id: UUID
    township: str
    is_new_township: bool


class FoundingService:
    """For the command line only: whoever can run it owns the installation."""

    def __init__(self, clock: Clock, audit: Audit, credentials: CredentialService, places: PlaceService) -> None:
        self._clock = clock
        self._audit = audit
        self._credentials = credentials
        self._places = places

    async def found(self, founder: Founder) -> Founded:
        """Makes the administrator. A name somebody logs in under already is theirs: their password is set anew.
        Raises UnknownTownship, and what `CredentialService.put` raises."""
        writer, today = Writer(self._clock), self._today()
        async with transaction():
            known = await self._places.townships()
            if len(known) > 1 and not founder.township:
                raise UnknownTownship
            name = founder.township or next(iter(known), ONLY_TOWNSHIP)
            township = (await writer.put_township(name)).id
            person_id = await self._person(writer, founder)
            charge = AppointmentValues(
                person_id=person_id,
                kind=AppointmentKind.TOWNSHIP_ADMINISTRATOR,
                since=today,
                township_id=township,
            )
            await writer.put_appointments([charge])
            await self._audit.record(
                SYSTEM,
                Action.LEADER_APPOINT,
                f"person:{person_id}",
                whose=Subject(township_id=str(township)),
                purpose="founding",
            )
            await self._credentials.put(person_id, founder.login, founder.password)
        return Founded(person_id, name, is_new_township=name not in known)

    async def _person(self, writer: Writer, founder: Founder) -> UUID:
        owner = await self._credentials.owner(founder.login)
        if owner is not None:
            return owner
        return one(await writer.put_persons([PersonValues(name=founder.name, phone=founder.phone)])).id

    def _today(self) -> date:
        return local_date(self._clock.now())
