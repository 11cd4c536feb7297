"""The map before sending: for each child who would be reached by what, and for whom somebody has to call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.delivery.planner import ChannelPlanner
from bot.delivery.pushes import ChannelName, Purpose, Reach
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.audience import Audience
from handlers.accounts.service.audiences import ChildMeant, Recipient
from handlers.notices.domain import OUT, Finding, Target, needs_second
from handlers.notices.models import Notice
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.places import PlaceOf
from handlers.notices.service.recipients import Meant, Recipients
from handlers.notices.service.rows import content_of, held, subject_of
from handlers.notices.service.showing import Showing
from handlers.notices.service.views import ChildReach, PersonReach, Preview

_NOT_BOUND = "not_bound"


class NoticeReach:
    """What would happen if it went out now."""

    def __init__(
        self,
        desk: NoticeDesk,
        recipients: Recipients,
        showing: Showing,
        *,
        planner: ChannelPlanner,
        audit: Audit,
        clock: Clock,
        limit: int,
    ) -> None:
        """`limit`: above how many people a second person signs."""
        self._desk = desk
        self._recipients = recipients
        self._showing = showing
        self._planner = planner
        self._audit = audit
        self._clock = clock
        self._limit = limit

    async def preview(self, actor: Actor, notice_id: str) -> Preview:
        """The map, the warnings, and whether a second signature is wanted; written down, for it shows families."""
        row = await held(actor, Action.NOTICE_WRITE, notice_id)
        content, today = content_of(row), local_date(self._clock.now())
        ticked = await self._recipients.meant(content.target, today)
        whole = _whole(content.target)
        everybody = ticked if whole == content.target else await self._recipients.meant(whole, today)
        told = {person.person_id: person for person in ticked.people}
        reach = await self._planner.reach(sorted(told), Purpose.NOTICE)
        families = _children(everybody, ticked, reach)
        async with transaction():
            await self._audit.record(
                actor, Action.NOTICE_WRITE, f"notice:{row.id}", whose=subject_of(row), purpose="reach_map"
            )
        return Preview(
            notice=await self._showing.view(actor, row),
            children=families,
            staff=[_colleague(each, reach) for each in everybody.people if not each.children],
            people=len(told),
            by_channel=Counter(each.channel.value for each in reach.values()),
            unreached=[each for each in families if each.is_ticked and not each.is_reached],
            findings=await self._findings(row),
            needs_second=needs_second(content, len(told), self._limit),
        )

    async def _findings(self, row: Notice) -> list[Finding]:
        if row.state in OUT:
            return []
        found = await self._desk.findings_of(content_of(row), PlaceOf.of_row(row), row)
        return sorted(found, key=lambda each: not each.is_block)


def _whole(target: Target) -> Target:
    """With those who were unticked, to be shown beside the others."""
    audience: Audience = replace(target.audience, without_pupils=frozenset(), without_persons=frozenset())
    return replace(target, audience=audience)


def _children(everybody: Meant, ticked: Meant, reach: Mapping[str, Reach]) -> list[ChildReach]:
    told = {(ward.id, person.person_id) for person in ticked.people for ward in person.children}
    kept = {each.child.id for each in ticked.children}
    return [_child(each, told, reach, is_ticked=each.child.id in kept) for each in everybody.children]


def _child(meant: ChildMeant, told: set[tuple[str, str]], reach: Mapping[str, Reach], *, is_ticked: bool) -> ChildReach:
    people = tuple(
        _person(each.person_id, each.name, each.relation_name, reach, is_acting=each.is_acting)
        if (meant.child.id, each.person_id) in told
        else PersonReach(each.person_id, each.name, each.relation_name, each.is_acting, "", "not_meant")
        for each in meant.guardians
    )
    return ChildReach(
        child_id=meant.child.id,
        name=meant.child.name,
        school=meant.child.school,
        class_id=meant.child.class_id or "",
        class_name=meant.child.class_name,
        people=people,
        is_ticked=is_ticked,
        is_reached=any(each.channel not in ("", ChannelName.BY_HAND.value) for each in people),
    )


def _colleague(each: Recipient, reach: Mapping[str, Reach]) -> PersonReach:
    """Somebody on the staff; one who was unticked stands there too, to be ticked again."""
    if each.person_id in reach:
        return _person(each.person_id, each.name, each.role, reach)
    return PersonReach(each.person_id, each.name, each.role, False, "", "not_meant")


def _person(
    person_id: str, name: str, relation: str, reach: Mapping[str, Reach], *, is_acting: bool = False
) -> PersonReach:
    way = reach.get(person_id, Reach(ChannelName.BY_HAND, _NOT_BOUND))
    return PersonReach(person_id, name, relation, is_acting, way.channel.value, way.why)
