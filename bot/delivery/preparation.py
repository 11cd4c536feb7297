"""From pushes in hand to messages with a way: everything that is asked once more before something goes out.

Is it too late, is it quiet, is it still wanted and in which words, where is the person, does it travel with others, has
the family had its messages of the day, and which channel takes it. What does not go out now gets its state here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.clock import Clock
from bot.delivery.claims import Claimed, Claims, Settled
from bot.delivery.credits import FAMILY, Credits, day_of
from bot.delivery.limiter import Limiter
from bot.delivery.models import DeliveryStatus
from bot.delivery.outcomes import OPERATOR_PAUSE
from bot.delivery.parcels import Parcel, parcels_of
from bot.delivery.planner import FEWEST_FOR_MASS, NO_CREDIT, ChannelPlanner, Template, Wanted, Way
from bot.delivery.pushes import (
    Address,
    ChannelName,
    Composed,
    NotNeeded,
    NotYet,
    Purpose,
    Push,
    PushClass,
    PushSource,
)
from bot.delivery.quiet import QuietHours
from bot.delivery.tables import by_index
from bot.errors import Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.database import transaction

EXPIRED: Final = "expired"
QUIET: Final = "quiet"
CAP: Final = "cap"
GONE: Final = "gone"
PAUSED: Final = "paused"
_log = get_logger(__name__)

Answer = Composed | NotNeeded | NotYet


@dataclass(slots=True)
class Prepared:
    """What goes out, each list one call to the platform, and what does not."""

    shipments: list[list[Parcel]] = field(default_factory=list)
    settled: list[tuple[Claimed, Settled]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What messages of the usual class keep to."""

    quiet: QuietHours
    a_family_a_day: int


class Preparation:
    """Asks what has to be asked. Nothing is sent here."""

    def __init__(
        self,
        sources: Mapping[str, PushSource],
        planner: ChannelPlanner,
        credits: Credits,
        limiter: Limiter,
        rules: Rules,
        *,
        templates: Sequence[Template],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """`sources` by name."""
        self._sources = sources
        self._planner = planner
        self._credits = credits
        self._claims = Claims(credits)
        self._limiter = limiter
        self._rules = rules
        self._templates = {each.id for each in templates}
        self._clock = clock
        self._metrics = metrics

    async def prepare(self, rows: Sequence[Claimed]) -> Prepared:
        """Raises Unavailable when something that has to be asked cannot be."""
        done, now = Prepared(), self._clock.now()
        due = self._timely(rows, now, done)
        composed = await self._composed(due, now, done)
        addressed = await self._addressed(composed, now, done)
        parcels = parcels_of(addressed)
        paused = await self._limiter.paused([*(channel.value for channel in ChannelName), *self._templates])
        async with transaction():
            await by_index()
            going = await self._planned(parcels, paused, done)
            going = await self._within_cap(going, now, done)
            await self._claims.keep_credits([row for parcel in going for row in parcel.rows])
        done.shipments = _shipments(going, done)
        return done

    # ---------------------------------------------------------------------------------------------------------- timing
    def _timely(self, rows: Sequence[Claimed], now: datetime, done: Prepared) -> list[Claimed]:
        due, allowed = [], self._rules.quiet.next_allowed(now)
        for row in rows:
            if row.push.expires_at <= now:
                done.settled.append((row, Settled(status=DeliveryStatus.EXPIRED, error=EXPIRED)))
            elif row.push.push_class is PushClass.NORMAL and allowed > now:
                done.settled.append((row, _held(row.push, allowed, QUIET)))
            else:
                due.append(row)
        return due

    # ------------------------------------------------------------------------------------------------------- composing
    async def _composed(self, rows: Sequence[Claimed], now: datetime, done: Prepared) -> list[tuple[Claimed, Composed]]:
        by_source: dict[str, list[Claimed]] = defaultdict(list)
        for row in rows:
            by_source[row.push.reason.partition(":")[0]].append(row)
        composed = []
        for name, own in by_source.items():
            answers = await self._asked(name, own, now)
            for row in own:
                if answers is None:
                    done.settled.append((row, _again(now + OPERATOR_PAUSE, "compose_failed")))
                    continue
                answer = answers.get(row.push.id)
                if isinstance(answer, Composed):
                    composed.append((row, answer))
                else:
                    done.settled.append((row, _unsaid(answer)))
        return composed

    async def _asked(self, name: str, rows: Sequence[Claimed], now: datetime) -> Mapping[str, Answer] | None:
        """None when the source is not there or fails: one capability's fault holds up no other's messages."""
        source = self._sources.get(name)
        if source is None:
            _log.error("push_source_missing", source=name)
            return None
        try:
            return await source.compose([row.push for row in rows], now)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - as said above
            _log.exception("composing_failed", source=name)
            self._metrics.errors_total.labels("delivery_compose").inc()
            return None

    async def _addressed(
        self, composed: Sequence[tuple[Claimed, Composed]], now: datetime, done: Prepared
    ) -> list[tuple[Claimed, Composed, Address]]:
        if not composed:
            return []
        addresses = await self._planner.addresses({row.push.person_id for row, _ in composed})
        addressed = []
        for row, words in composed:
            address = addresses.get(row.push.person_id) if addresses is not None else None
            if address is not None:
                addressed.append((row, words, address))
            elif addresses is None:
                done.settled.append((row, _again(now + OPERATOR_PAUSE, "no_address_book")))
            else:
                done.settled.append((row, Settled(status=DeliveryStatus.NOT_NEEDED, error=GONE)))
        return addressed

    # --------------------------------------------------------------------------------------------------------- planning
    async def _planned(self, parcels: Sequence[Parcel], paused: Mapping[str, datetime], done: Prepared) -> list[Parcel]:
        said = Counter(_matter(parcel) for parcel in parcels)
        wanted = [
            Wanted(
                address=parcel.address,
                purpose=parcel.first.purpose if len(parcel.parts) == 1 else _shared_purpose(parcel),
                refused=parcel.parts[0][0].tried | (_not_worth_waiting(parcel, paused) if paused else frozenset()),
                is_shared=said[_matter(parcel)] >= FEWEST_FOR_MASS,
            )
            for parcel in parcels
        ]
        ways = await self._planner.plan(wanted, without=[each for each in self._templates if each in paused])
        going = []
        for parcel, way in zip(parcels, ways, strict=True):
            parcel.way = way
            parcel.rows[0].credit = way.credit
            if way.channel is ChannelName.BY_HAND:
                done.settled += [(row, _by_hand(way.why)) for row in parcel.rows]
            elif way.channel.value in paused:
                done.settled += [(row, _again(paused[way.channel.value], PAUSED)) for row in parcel.rows]
            else:
                going.append(parcel)
        return going

    async def _within_cap(self, parcels: Sequence[Parcel], now: datetime, done: Prepared) -> list[Parcel]:
        """Counts what goes to each family today; the rest waits for the next morning."""
        families: dict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            if parcel.waits:
                families[parcel.address.family].append(parcel)
        wanted = {family: len(own) for family, own in families.items()}
        granted = await self._credits.count_many(FAMILY, wanted, day_of(now), self._rules.a_family_a_day)
        morning = self._rules.quiet.next_morning(now)
        going = [parcel for parcel in parcels if not parcel.waits]
        counted: dict[UUID, dict[str, str]] = defaultdict(dict)
        for family, own in families.items():
            number = granted.get(family, 0)
            for parcel in own[:number]:
                parcel.is_counted = True
                counted[parcel.rows[0].claim][parcel.first.id] = family
            going += own[:number]
            done.settled += [(row, _held(row.push, morning, CAP)) for parcel in own[number:] for row in parcel.rows]
        for claim, families_of in counted.items():
            await self._credits.note_batch(claim, families_of, day_of(now))
        return going


def _held(push: Push, until: datetime, why: str) -> Settled:
    """Held until then, unless that is too late."""
    if until >= push.expires_at:
        return Settled(status=DeliveryStatus.EXPIRED, error=why)
    return Settled(status=DeliveryStatus.HELD, not_before=until, error=why)


def _again(at: datetime, why: str) -> Settled:
    return Settled(status=DeliveryStatus.PLANNED, not_before=at, error=why)


def _by_hand(why: str) -> Settled:
    return Settled(status=DeliveryStatus.UNREACHABLE, error=why, channel=ChannelName.BY_HAND)


def _unsaid(answer: NotNeeded | NotYet | None) -> Settled:
    if isinstance(answer, NotYet):
        return _again(answer.not_before, "not_yet")
    return Settled(status=DeliveryStatus.NOT_NEEDED, error=answer.why if answer else "not_wanted")


def _matter(parcel: Parcel) -> tuple[str, str, str]:
    """What makes two messages the same to everybody."""
    return parcel.first.reason, parcel.first.occurrence, parcel.words.text


def _shared_purpose(parcel: Parcel) -> Purpose:
    purposes = {row.push.purpose for row in parcel.rows}
    return purposes.pop() if len(purposes) == 1 else Purpose.REMINDER


def _not_worth_waiting(parcel: Parcel, paused: Mapping[str, datetime]) -> frozenset[ChannelName]:
    """Channels that are paused for longer than the message can wait."""
    end = min(row.push.expires_at for row in parcel.rows)
    return frozenset(
        channel
        for channel in ChannelName
        if (until := paused.get(channel.value)) is not None
        and (not parcel.waits or until + timedelta(minutes=1) >= end)
    )


def _shipments(parcels: Sequence[Parcel], done: Prepared) -> list[list[Parcel]]:
    """One parcel each, but for the same words to many, which the platform takes in one call."""
    mass: dict[tuple[str, str, str], list[Parcel]] = defaultdict(list)
    shipments = []
    for parcel in parcels:
        if _way(parcel).channel is ChannelName.MASS:
            mass[_matter(parcel)].append(parcel)
        else:
            shipments.append([parcel])
    for same in mass.values():
        if len(same) >= FEWEST_FOR_MASS:
            shipments.append(same)
        else:
            done.settled += [(row, _by_hand(NO_CREDIT)) for parcel in same for row in parcel.rows]
    return shipments


def _way(parcel: Parcel) -> Way:
    assert parcel.way is not None
    return parcel.way
