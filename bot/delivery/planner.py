"""Which way a message goes: the first channel that would take it, in one order for all purposes.

Template message, 订阅通知, 订阅消息 of the mini-program, a message into the open chat; for a notice to many one of the
four mass messages of the month; and at last nobody's phone but the head teacher's list. A message that needs a consent
reserves it here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from bot.clock import Clock
from bot.delivery.credits import MASS, MASS_A_MONTH, Consent, Credits, Reserved, month_of
from bot.delivery.pushes import Address, AddressBook, ChannelName, Purpose, Reach, Slot
from bot.wechat.window import WindowLedger

NOT_BOUND: Final = "not_bound"
NO_CREDIT: Final = "no_credit"
REFUSED: Final = "refused"
NO_ADDRESS_BOOK: Final = "no_address_book"
# The platform takes a mass message for two people at least.
FEWEST_FOR_MASS: Final = 2
ORDER: Final = (
    ChannelName.TEMPLATE,
    ChannelName.SUBSCRIPTION_NOTICE,
    ChannelName.MINI_PROGRAM,
    ChannelName.CUSTOMER_SERVICE,
    ChannelName.MASS,
)


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the account: what it is for, through which channel it goes, and its keys by meaning."""

    purpose: Purpose
    channel: ChannelName
    id: str
    slots: Mapping[Slot, str]


class Wanted(NamedTuple):
    """A message that looks for a way. `refused`: channels that did not take it. `is_shared`: others get the same words,
    so that it may go out as a mass message."""

    address: Address
    purpose: Purpose
    refused: frozenset[ChannelName] = frozenset()
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way a message goes. `credit`: what it uses up. BY_HAND has no openid, and says why."""

    channel: ChannelName
    openid: str = field(default="", repr=False)
    recipient_index: str = ""
    template: Template | None = None
    credit: Reserved | None = None
    leave: int = 0
    why: str = ""


@dataclass(slots=True)
class _Survey:
    """What is known about the recipients who have no way without asking."""

    consents: Mapping[tuple[str, str], Consent] = field(default_factory=dict)
    open_windows: frozenset[str] = frozenset()
    mass_used: Mapping[str, int] = field(default_factory=dict)


class ChannelPlanner:
    """Chooses ways. What it reads may have changed when the message goes out; what it reserves is the message's."""

    def __init__(
        self,
        book: Callable[[], AddressBook | None],
        credits: Credits,
        windows: Callable[[], WindowLedger],
        templates: Sequence[Template],
        clock: Clock,
    ) -> None:
        """`book` and `windows` are asked when they are needed: both come up with the application."""
        self._book = book
        self._credits = credits
        self._windows = windows
        self._clock = clock
        self._templates: dict[tuple[ChannelName, Purpose], list[Template]] = {}
        for each in templates:
            self._templates.setdefault((each.channel, each.purpose), []).append(each)
        self._for_results = frozenset(each.id for each in templates if each.purpose is Purpose.RESULT)

    async def reach(self, person_ids: Collection[str], purpose: Purpose) -> Mapping[str, Reach]:
        """By which way each would be told now. Whoever is not in the address book is reached by hand."""
        book = self._book()
        if book is None:
            return {person: Reach(ChannelName.BY_HAND, NO_ADDRESS_BOOK) for person in person_ids}
        addresses = await book.addresses(person_ids)
        is_shared = len(addresses) >= FEWEST_FOR_MASS
        wanted = {
            person: Wanted(address=address, purpose=purpose, is_shared=is_shared)
            for person, address in addresses.items()
        }
        survey = await self._survey(list(wanted.values()))
        ways = {person: next(self._ways(each, survey)) for person, each in wanted.items()}
        lost = Way(channel=ChannelName.BY_HAND, why=NOT_BOUND)
        return {person: Reach(way.channel, way.why) for person in person_ids for way in [ways.get(person, lost)]}

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address] | None:
        """Where they are reached; None while nobody knows anybody's address."""
        book = self._book()
        return None if book is None else await book.addresses(person_ids)

    async def plan(self, wanted: Sequence[Wanted], *, without: Collection[str] = ()) -> list[Way]:
        """A way for each, with what it uses up reserved. `without`: templates that must not be used now."""
        survey = await self._survey(wanted, without)
        ways = []
        for each in wanted:
            way = next(self._ways(each, survey, without))
            ways.append(way if way.credit is None else await self._reserved(each, survey, without))
        return ways

    async def _reserved(self, wanted: Wanted, survey: _Survey, without: Collection[str]) -> Way:
        for way in self._ways(wanted, survey, without):
            if way.credit is None or await self._credits.reserve(way.credit, leave=way.leave):
                return way
        raise AssertionError("there is always a way by hand")

    # ------------------------------------------------------------------------------------------------------- choosing
    def _ways(self, wanted: Wanted, survey: _Survey, without: Collection[str] = ()) -> Iterator[Way]:
        """All ways, best first; the last is by hand."""
        address = wanted.address
        for channel in ORDER:
            if channel in wanted.refused:
                continue
            is_mini = channel is ChannelName.MINI_PROGRAM
            openid = address.mini_program_openid if is_mini else address.openid
            index = address.mini_program_openid_index if is_mini else address.openid_index
            if openid and index:
                yield from self._through(channel, wanted, openid, index, survey, without)
        why = NO_CREDIT if address.openid or address.mini_program_openid else NOT_BOUND
        yield Way(channel=ChannelName.BY_HAND, why=REFUSED if wanted.refused else why)

    def _through(
        self, channel: ChannelName, wanted: Wanted, openid: str, index: str, survey: _Survey, without: Collection[str]
    ) -> Iterator[Way]:
        if channel is ChannelName.CUSTOMER_SERVICE:
            if index in survey.open_windows:
                yield Way(channel=channel, openid=openid, recipient_index=index)
            return
        if channel is ChannelName.MASS:
            if wanted.purpose is Purpose.NOTICE and wanted.is_shared and survey.mass_used.get(index, 0) < MASS_A_MONTH:
                yield Way(channel=channel, openid=openid, recipient_index=index, credit=Reserved(index, MASS))
            return
        for template in self._templates.get((channel, wanted.purpose), ()):
            if template.id in without:
                continue
            if channel is ChannelName.TEMPLATE:
                yield Way(channel=channel, openid=openid, recipient_index=index, template=template)
            else:
                yield from self._with_consent(template, wanted, openid, index, survey)

    def _with_consent(
        self, template: Template, wanted: Wanted, openid: str, index: str, survey: _Survey
    ) -> Iterator[Way]:
        consent = survey.consents.get((index, template.id))
        leave = self._left_to_results(template, wanted.purpose)
        if consent is None or not consent.is_open or not (consent.is_long_term or consent.free > leave):
            return
        credit = Reserved(index, template.id)
        yield Way(
            channel=template.channel, openid=openid, recipient_index=index, template=template, credit=credit,
            leave=leave,
        )  # fmt: skip

    def _left_to_results(self, template: Template, purpose: Purpose) -> int:
        """Of one-time accepts of a template that serves results too, the last one is not for reminders and notices."""
        return 1 if template.id in self._for_results and purpose in (Purpose.NOTICE, Purpose.REMINDER) else 0

    # ------------------------------------------------------------------------------------------------------- surveying
    async def _survey(self, wanted: Sequence[Wanted], without: Collection[str] = ()) -> _Survey:
        """Looks up what decides, for those who have no template message."""
        asking = [each for each in wanted if not self._goes_by_template(each, without)]
        if not asking:
            return _Survey()
        now = self._clock.now()
        chats = {each.address.openid_index for each in asking if each.address.openid_index}
        minis = {index for each in asking if (index := each.address.mini_program_openid_index)}
        shared = {index for each in asking if each.is_shared and (index := each.address.openid_index)}
        return _Survey(
            consents=await self._credits.consents(chats | minis),
            open_windows=await self._open_windows(chats, now),
            mass_used=await self._credits.used(MASS, shared, month_of(now)),
        )

    def _goes_by_template(self, wanted: Wanted, without: Collection[str]) -> bool:
        templates = self._templates.get((ChannelName.TEMPLATE, wanted.purpose), ())
        refused = ChannelName.TEMPLATE in wanted.refused
        return bool(wanted.address.openid) and not refused and any(each.id not in without for each in templates)

    async def _open_windows(self, indexes: Collection[str], now: datetime) -> frozenset[str]:
        windows = self._windows()
        return frozenset([index for index in indexes if (await windows.state(index, now)).is_open])
