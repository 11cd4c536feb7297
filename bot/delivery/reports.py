"""What the platform tells afterwards: that a message arrived, or did not, and what people accept or refuse.

A report may come before the answer to the call it speaks of is written down, and for a message whose answer was lost.
So it is kept until a message with its id is known; and when one recipient has exactly one message of which nobody knows
whether it arrived, a report with an unknown id speaks of that one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import uuid4

from bot.clock import Clock
from bot.delivery.claims import PUSH_COLUMNS, push_of
from bot.delivery.credits import ConsentKind, Credits
from bot.delivery.models import DeliveryStatus
from bot.delivery.pushes import ChannelName, Push, UnreachableListener
from bot.delivery.tables import Statement, of_pushes
from bot.storage.database import transaction
from bot.wechat.messages import Event, SubscriptionResult, subscription_results
from bot.wechat.outgoing import MassOutcome, TemplateJob, mass_outcome

JOB_EVENT: Final = "templatesendjobfinish"
EVENTS: Final = (
    "masssendjobfinish",
    "subscribe_msg_popup_event",
    "subscribe_msg_change_event",
    "subscribe_msg_sent_event",
)
# A lost answer and its report are not further apart than this.
_TOGETHER: Final = timedelta(minutes=30)
ARRIVED: Final = ""
BLOCKED: Final = "user_block"
NOT_DELIVERED: Final = "not_delivered"

Job: TypeAlias = "tuple[TemplateJob, str]"
"""What became of a template message, and the blind index of whom it went to."""


class Reports:
    """Takes the platform's events."""

    def __init__(self, credits: Credits, listeners: Callable[[], Sequence[UnreachableListener]], clock: Clock) -> None:
        """`listeners` are asked for when they are needed: they come with the capabilities."""
        self._credits = credits
        self._listeners = listeners
        self._clock = clock

    async def take_jobs(self, jobs: Sequence[Job]) -> None:
        """What became of template messages, many at once. Twice does no harm."""
        now = self._clock.now()
        async with transaction():
            await _until_written([index for _, index in jobs])
            statement = Statement(of_pushes())
            told = statement.rows("told", {"platform_id": "text"}, [(job.message_id,) for job, _ in jobs])
            rows = await statement.fetch(
                f"SELECT p.platform_id FROM outbox_push p JOIN {told} ON told.platform_id = p.platform_id"  # noqa: S608
                " WHERE p.channel = 'template'"
            )
            known = {row["platform_id"] for row in rows}
            await self._fail(
                [
                    (ChannelName.TEMPLATE, job.message_id, _error_of(job))
                    for job, _ in jobs
                    if job.message_id in known and not job.is_delivered
                ]
            )
            early = [(job, index) for job, index in jobs if job.message_id not in known]
            if early:
                await _keep(
                    [(ChannelName.TEMPLATE, job.message_id, index, _error_of(job)) for job, index in early], now
                )
                await self.resolve([index for _, index in early])

    async def take(self, event: Event, recipient_index: str) -> None:
        """An event about mass messages or consents, in the caller's transaction, which sees to it that each event is
        taken once: accepts are counted."""
        if (mass := mass_outcome(event)) is not None:
            await self._mass(mass)
        for result in subscription_results(event):
            await self._subscription(event.name, result, recipient_index)

    async def _mass(self, outcome: MassOutcome) -> None:
        if not outcome.is_sent:
            error = f"mass_{outcome.error_code or 'failed'}"
            await self._reported(ChannelName.MASS, outcome.message_id, "", error)
        elif outcome.sent_count < outcome.total_count:
            # Who was left out is not told: the number is all that can be shown.
            statement = Statement(of_pushes())
            note = statement.add(f"mass_partial:{outcome.sent_count}/{outcome.total_count}")
            await statement.run(
                f"UPDATE outbox_push SET last_error = {note} WHERE channel = 'mass'"  # noqa: S608
                f" AND platform_id = {statement.add(outcome.message_id)}"
            )

    async def _subscription(self, name: str, result: SubscriptionResult, recipient_index: str) -> None:
        if name == "subscribe_msg_sent_event":
            if result.message_id and result.error_code:
                error = f"not_delivered:{result.error_code}"
                await self._reported(ChannelName.SUBSCRIPTION_NOTICE, result.message_id, recipient_index, error)
        elif result.status == "accept" and result.template_id:
            await self._credits.accepted(recipient_index, result.template_id, ConsentKind.ONE_TIME)
        elif result.status == "reject" and result.template_id:
            await self._credits.rejected(recipient_index, result.template_id)

    async def _reported(self, channel: ChannelName, platform_id: str, recipient_index: str, error: str) -> None:
        now = self._clock.now()
        if recipient_index:
            await _until_written([recipient_index])
        statement = Statement(of_pushes())
        known = await statement.fetch(
            f"SELECT id FROM outbox_push WHERE platform_id = {statement.add(platform_id)}"  # noqa: S608
            f" AND channel = {statement.add(channel)} LIMIT 1"
        )
        if known:
            await self._fail([(channel, platform_id, error)] if error else [])
            return
        await _keep([(channel, platform_id, recipient_index, error)], now)
        if recipient_index:
            await self.resolve([recipient_index])

    # ---------------------------------------------------------------------------------------------------- kept reports
    async def apply(self, platform_ids: Sequence[str]) -> None:
        """What was reported of messages before their ids were known, in the caller's transaction."""
        if not platform_ids:
            return
        statement = Statement(of_pushes())
        wanted = statement.rows("wanted", {"platform_id": "text"}, [(each,) for each in platform_ids])
        found = await statement.fetch(
            "SELECT r.channel, r.platform_id, r.error FROM delivery_report r"  # noqa: S608
            f" JOIN {wanted} ON wanted.platform_id = r.platform_id WHERE r.error <> ''"
        )
        await self._fail([(ChannelName(row["channel"]), row["platform_id"], row["error"]) for row in found])

    async def resolve(self, recipients: Sequence[str]) -> int:
        """Messages of unknown outcome, and reports of messages with an unknown id: where a recipient has one of each,
        they belong together. In the caller's transaction; gives how many pushes have an outcome now."""
        statement = Statement(of_pushes())
        wanted = statement.rows("wanted", {"own_index": "text"}, [(each,) for each in sorted(set(recipients))])
        since = statement.add(self._clock.now() - _TOGETHER, "moment")
        rows = await statement.fetch(
            "SELECT p.message_id, p.recipient_index, p.channel, r.platform_id, r.error FROM outbox_push p"  # noqa: S608
            f" JOIN {wanted} ON wanted.own_index = p.recipient_index JOIN delivery_report r"
            " ON r.recipient_index = p.recipient_index AND r.channel = p.channel AND r.created_at >= p.begun_at"
            " WHERE p.status = 'unknown' AND p.platform_id IS NULL AND p.message_id IS NOT NULL"
            f" AND p.begun_at >= {since} AND NOT EXISTS (SELECT 1 FROM outbox_push k"
            " WHERE k.platform_id = r.platform_id AND k.channel = r.channel)"
        )
        messages: dict[tuple[str, str], set[str]] = defaultdict(set)
        reports: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for row in rows:
            whose = (row["recipient_index"], row["channel"])
            messages[whose].add(str(row["message_id"]))
            reports[whose].add((row["platform_id"], row["error"]))
        resolved = 0
        for whose, known in messages.items():
            if len(known) == 1 and len(reports[whose]) == 1:
                resolved += await self._resolved(next(iter(known)), *next(iter(reports[whose])))
        return resolved

    async def resolve_pushes(self, ids: Sequence[str]) -> int:
        """As `resolve`, for the recipients of these pushes."""
        statement = Statement(of_pushes())
        rows = await statement.fetch(
            f"SELECT recipient_index FROM outbox_push WHERE id {statement.ids(ids)} AND recipient_index IS NOT NULL"  # noqa: S608
        )
        return await self.resolve([row["recipient_index"] for row in rows]) if rows else 0

    async def _resolved(self, message_id: str, platform_id: str, error: str) -> int:
        statement = Statement(of_pushes())
        status = statement.add(DeliveryStatus.FAILED if error else DeliveryStatus.SENT)
        now = statement.add(self._clock.now(), "moment")
        rows = await statement.fetch(
            f"UPDATE outbox_push SET status = {status}, platform_id = {statement.add(platform_id)},"  # noqa: S608
            f" last_error = {statement.add(error or 'reported')}, updated_at = {now}"
            f" WHERE status = 'unknown' AND message_id {statement.ids([message_id])} RETURNING {PUSH_COLUMNS}"
        )
        if error:
            await self._tell([push_of(row) for row in rows], error)
        return len(rows)

    async def _fail(self, reported: Sequence[tuple[ChannelName, str, str]]) -> None:
        for channel, platform_id, error in sorted(reported):
            statement = Statement(of_pushes())
            rows = await statement.fetch(
                f"UPDATE outbox_push SET status = 'failed', last_error = {statement.add(error)},"  # noqa: S608
                f" updated_at = {statement.add(self._clock.now(), 'moment')}"
                f" WHERE platform_id = {statement.add(platform_id)} AND channel = {statement.add(channel)}"
                f" AND status = 'sent' RETURNING {PUSH_COLUMNS}"
            )
            await self._tell([push_of(row) for row in rows], error)

    async def _tell(self, pushes: Sequence[Push], why: str) -> None:
        if pushes:
            for listener in self._listeners():
                await listener.could_not_reach(pushes, why)


def _error_of(job: TemplateJob) -> str:
    return ARRIVED if job.is_delivered else BLOCKED if job.is_blocked else NOT_DELIVERED


async def _until_written(recipients: Sequence[str]) -> None:
    """Waits for outcomes that are just being written: else the report would not see the id, and who writes it would
    not see the report. In the caller's transaction; where one writes at a time there is nothing to wait for."""
    statement = Statement(of_pushes())
    if not statement.is_postgres:
        return
    wanted = statement.rows("wanted", {"own_index": "text"}, [(each,) for each in sorted(set(recipients))])
    await statement.fetch(
        f"SELECT p.id FROM outbox_push p JOIN {wanted} ON wanted.own_index = p.recipient_index"  # noqa: S608
        " WHERE p.status = 'sending' ORDER BY p.id FOR SHARE OF p"
    )


async def _keep(reports: Sequence[tuple[ChannelName, str, str, str]], now: datetime) -> None:
    """Channel, id, recipient and error of each."""
    statement = Statement(of_pushes())
    kinds = {"own_id": "id", "channel": "text", "platform_id": "text", "recipient_index": "text", "error": "text"}
    given = statement.rows("given", kinds, [(uuid4(), *each) for each in sorted(reports)])
    moment = statement.add(now, "moment")
    await statement.insert(
        "INSERT INTO delivery_report (id, channel, platform_id, recipient_index, error, created_at, updated_at)"  # noqa: S608
        f" SELECT own_id, channel, platform_id, recipient_index, error, {moment}, {moment} FROM {given} WHERE true"
        " ON CONFLICT (channel, platform_id, recipient_index) DO NOTHING"
    )
