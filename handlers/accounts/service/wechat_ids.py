"""WeChat ids: who is met for the first time, which of them are one person's, and who has left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.clock import Clock
from bot.errors import Conflict, NotAuthenticated
from bot.identity import SYSTEM, Actor, Hat
from bot.logs import get_logger
from bot.rights import Action, require
from bot.storage.base import blind_index
from bot.storage.database import transaction
from bot.wechat.client import WeChatClient
from bot.wechat.errors import WeChatError
from handlers.accounts.domain import PRIVACY_VERSION, Account
from handlers.accounts.models import WeChatIdentity
from handlers.accounts.service.requests import BindingRequests
from handlers.accounts.service.ties import Ties

LEARNT_AT_ONCE: Final = 50
LEARNT_AGAIN_AFTER: Final = timedelta(days=1)

_log = get_logger(__name__)


class PrivacyNotAgreed(Conflict):
    """Nothing personal is asked or kept before the user has agreed to the privacy rules."""

    code = "privacy_not_agreed"
    default_message = "请先阅读并同意隐私说明，再继续办理。"


@dataclass(frozen=True, slots=True)
class IdentityView:
    """A WeChat id as services speak of it. `person_id` None: bound to nobody yet."""

    id: str
    openid_index: str
    account: Account
    person_id: str | None
    hat: Hat | None
    has_agreed: bool


class IdentityService:
    """Introduces WeChat ids, joins those of one person, and lets people go."""

    def __init__(
        self, clock: Clock, ties: Ties, requests: BindingRequests, wechat: Callable[[], WeChatClient] | None = None
    ) -> None:
        """`wechat`: the 服务号's API once the application runs; None where it is not asked."""
        self._clock = clock
        self._ties = ties
        self._requests = requests
        self._wechat = wechat
        # When the platform last said nothing about an id: it is not asked again at once.
        self._asked: dict[UUID, datetime] = {}

    async def introduce(self, account: Account, openid: str, unionid: str | None = None) -> IdentityView:
        """The WeChat id, known from now on. Ids with the same `unionid` are one WeChat user's: where one of them is
        bound the others are too. Bound to two people already, they stay apart and somebody decides."""
        async with transaction():
            identity = await self._known(account, openid)
            if unionid is not None:
                await self._join(identity, blind_index("unionid", unionid))
            return _view(identity)

    async def agree(self, account: Account, openid: str) -> IdentityView:
        """The user has agreed to the privacy rules in force."""
        now = self._clock.now()
        async with transaction():
            identity = await self._known(account, openid)
            if identity.privacy_version != PRIVACY_VERSION:
                await WeChatIdentity.filter(id=identity.id).update(
                    privacy_version=PRIVACY_VERSION, privacy_agreed_at=now, updated_at=now
                )
                identity.privacy_version = PRIVACY_VERSION
            return _view(identity)

    async def agree_as(self, actor: Actor) -> IdentityView:
        """As `agree`, of somebody who is logged in. Raises NotAuthenticated."""
        require(actor, Action.PROFILE_CHANGE)
        identity = await WeChatIdentity.get_or_none(id=actor.identity_id) if actor.identity_id else None
        if identity is None:
            raise NotAuthenticated
        return await self.agree(identity.account, identity.openid)

    async def look_up(self, openid_index: str) -> IdentityView | None:
        """The WeChat id, None when it was never introduced."""
        identity = await WeChatIdentity.get_or_none(openid_index=openid_index)
        return None if identity is None else _view(identity)

    async def erase(self, openid_index: str) -> None:
        """Takes a WeChat id out, in the caller's transaction. The roster's person stays, without it."""
        identity = await WeChatIdentity.filter(openid_index=openid_index).select_for_update().first()
        if identity is not None:
            await self._ties.erase(SYSTEM, identity)

    async def learn_unionids(self) -> int:
        """Asks the platform for the unionid of followers it is not known of, and joins; says of how many it learnt.

        The 服务号 tells a unionid only when asked, which takes a call for each; so it is done in the background.
        """
        now = self._clock.now()
        self._asked = {key: at for key, at in self._asked.items() if now - at < LEARNT_AGAIN_AFTER}
        waiting = await WeChatIdentity.filter(account=Account.SERVICE, unionid_index=None).order_by("-created_at")
        learnt = 0
        for identity in [each for each in waiting if each.id not in self._asked][:LEARNT_AT_ONCE]:
            self._asked[identity.id] = now
            learnt += await self._learn(identity)
        return learnt

    async def _learn(self, identity: WeChatIdentity) -> bool:
        assert self._wechat is not None
        try:
            told = await self._wechat().user_info(identity.openid)
        except WeChatError as error:
            _log.info("unionid_not_learnt", cause=error.code)
            return False
        if told.unionid is None:
            return False
        await self.introduce(identity.account, identity.openid, told.unionid)
        return True

    async def _known(self, account: Account, openid: str) -> WeChatIdentity:
        index, now = blind_index("openid", openid), self._clock.now()
        found = await WeChatIdentity.filter(openid_index=index).select_for_update().first()
        if found is not None:
            return found
        try:
            async with transaction():
                return await WeChatIdentity.create(
                    id=uuid4(), account=account, openid=openid, openid_index=index, created_at=now, updated_at=now
                )
        except IntegrityError:
            # Met at the same moment elsewhere.
            return await WeChatIdentity.filter(openid_index=index).select_for_update().get()

    async def _join(self, identity: WeChatIdentity, unionid_index: str) -> None:
        if identity.unionid_index != unionid_index:
            await WeChatIdentity.filter(id=identity.id).update(
                unionid_index=unionid_index, updated_at=self._clock.now()
            )
            identity.unionid_index = unionid_index
        same = await WeChatIdentity.filter(unionid_index=unionid_index).order_by("id").select_for_update()
        people = {each.person_id for each in same if each.person_id is not None}
        if len(people) > 1:
            await self._requests.ask_whether_same(identity, next(iter(people - {identity.person_id})))
            return
        for person_id in people:
            await self._share(person_id, [each for each in same if each.person_id is None])
        identity.person_id = next((each.person_id for each in same if each.id == identity.id), None)

    async def _share(self, person_id: UUID, nobodys: Sequence[WeChatIdentity]) -> None:
        """Those of the ids are the person's too whose place no other id of the person has."""
        for each in nobodys:
            if not await self._ties.is_held(person_id, besides=each.id, account=each.account):
                await self._ties.share(each, person_id)


def _view(identity: WeChatIdentity) -> IdentityView:
    return IdentityView(
        id=str(identity.id),
        openid_index=identity.openid_index,
        account=identity.account,
        person_id=str(identity.person_id) if identity.person_id else None,
        hat=identity.hat,
        has_agreed=identity.privacy_version == PRIVACY_VERSION,
    )
