"""Writing a township that was settled elsewhere: people whose WeChat ids are bound already, many at a time.

For made-up townships, in the caller's transaction. What a roster holds goes through `writing.Writer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from bot.clock import local_date
from bot.storage.base import blind_index
from bot.storage.rows import insert_rows
from handlers.accounts.domain import PRIVACY_VERSION, Account
from handlers.accounts.models import Person, Pupil, Township, WeChatIdentity


@dataclass(frozen=True, slots=True)
class BoundIdentity:
    """A WeChat id whose user has agreed to the privacy rules; `person_id` None: bound to nobody."""

    account: Account
    openid: str
    unionid: str
    person_id: UUID | None


async def holds_people() -> bool:
    """Whether anybody is on record."""
    return await Person.exists() or await Pupil.exists()


async def founded_on() -> date | None:
    """The day the first township was written, None when there is none."""
    first = await Township.all().order_by("created_at").first()
    return None if first is None else local_date(first.created_at)


async def is_bound(openid_index: str) -> bool:
    """Whether a WeChat id is somebody's."""
    return await WeChatIdentity.filter(openid_index=openid_index, person_id__not_isnull=True).exists()


async def put_identities(identities: Sequence[BoundIdentity], now: datetime) -> None:
    """Writes WeChat ids that nobody has met before."""
    await insert_rows(WeChatIdentity, [_row(each, now) for each in identities])


def _row(identity: BoundIdentity, now: datetime) -> Mapping[str, Any]:
    return {
        "id": uuid4(),
        "account": identity.account,
        "openid": identity.openid,
        "openid_index": blind_index("openid", identity.openid),
        "unionid_index": blind_index("unionid", identity.unionid),
        "person_id": identity.person_id,
        "privacy_version": PRIVACY_VERSION,
        "privacy_agreed_at": now,
        "bound_at": now if identity.person_id else None,
        "created_at": now,
        "updated_at": now,
    }
