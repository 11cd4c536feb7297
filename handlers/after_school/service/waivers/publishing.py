"""The public list some counties want: only where a rule that asks for it is written into the configuration, with masked
names, and without a word of why."""

from __future__ import annotations

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import Conflict
from bot.identity import Actor
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.after_school.domain.waivers import WaiverState, masked
from handlers.after_school.models import AfterSchoolWaived
from handlers.after_school.service.waivers.rows import within
from handlers.after_school.service.waivers.views import PublicLine
from handlers.after_school.texts import waivers as texts


class NothingToPublish(Conflict):
    """No rule asks for a public list here."""

    code = "waiver_list_off"
    default_message = texts.PUBLIC_OFF


class WaiverPublishing:
    """The use case."""

    def __init__(self, audiences: AccountsAudiences, ground: str, *, audit: Audit, clock: Clock) -> None:
        """`ground`: the rule that asks for the list, "" for none."""
        self._audiences = audiences
        self.ground = ground.strip()
        self._audit = audit
        self._clock = clock

    async def terms(self, actor: Actor) -> list[str]:
        """The terms for which something was granted within reach. Raises NothingToPublish."""
        return sorted({row.term for row in await self._rows(actor)})

    async def lines(self, actor: Actor, term: str) -> list[PublicLine]:
        """Those of a term, by school and class. Raises NothingToPublish."""
        async with transaction():
            rows = [row for row in await self._rows(actor) if row.term == term]
            await self._audit.record(actor, Action.WAIVER_DECIDE, "waivers:public", purpose="public_list")
            wards = await self._audiences.children({str(row.pupil_id) for row in rows})
        lines = [PublicLine(masked(each.name), each.school, each.class_name) for each in wards.values()]
        return sorted(lines, key=lambda each: (each.school, each.class_name, each.name))

    async def _rows(self, actor: Actor) -> list[AfterSchoolWaived]:
        reach = require(actor, Action.WAIVER_DECIDE)
        if not self.ground:
            raise NothingToPublish
        today = local_date(self._clock.now())
        granted = within(reach).filter(state=WaiverState.GRANTED, lapses_on__gte=today)
        cases = [row.id for row in await granted.only("id")]
        return await AfterSchoolWaived.filter(waiver_id__in=cases, ended_on__isnull=True)
