"""The mini-program's way to who is who: sessions, privacy, identity, children, bindings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel

from bot.clock import to_local
from bot.identity import Actor
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.accounts import schemas, texts
from handlers.accounts.domain import PRIVACY_VERSION
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.logins import LoginFailed, LoginService, PhoneCodeInvalid
from handlers.accounts.service.outcomes import Claim, Outcome, Proof, ProofWrong, Result, UnknownCode
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.profiles import ProfileService
from handlers.accounts.service.requests import Plea
from handlers.accounts.service.sessions import SessionService
from handlers.accounts.service.subscriptions import Subscriptions, SubscriptionService
from handlers.accounts.service.switching import SwitchService
from handlers.accounts.service.unbinding import UnbindingService

_TAGS = {"session": ("登录",), "profile": ("我的",), "binding": ("绑定",), "messages": ("消息",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsServices:
    """What the handlers call."""

    logins: LoginService
    sessions: SessionService
    profiles: ProfileService
    people: PeopleService
    bindings: BindingService
    unbinding: UnbindingService
    switching: SwitchService
    subscriptions: SubscriptionService


class AccountsApi:
    """The handlers, over the services."""

    def __init__(self, services: AccountsServices) -> None:
        self._services = services

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        return (
            *self._session_routes(),
            *self._profile_routes(),
            *self._binding_routes(),
            *self._message_routes(),
        )

    def _session_routes(self) -> Sequence[ApiRoute]:
        tags = _TAGS["session"]
        return (
            ApiRoute(
                method="POST", path="/session", summary="登录", handle=self.log_in, request=schemas.SessionIn,
                response=schemas.SessionOut, action=Action.SESSION_OPEN, errors=(403,), guesses=(LoginFailed,),
                before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="GET", path="/session", summary="现在是谁", handle=self.current, response=schemas.CurrentOut,
                action=Action.SESSION_MANAGE, before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="DELETE", path="/session", summary="退出登录", handle=self.log_out, response=schemas.EndedOut,
                action=Action.SESSION_MANAGE, errors=(404,), before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="GET", path="/sessions", summary="我的登录", handle=self.sessions, response=schemas.DevicesOut,
                action=Action.SESSION_MANAGE, before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="DELETE", path="/sessions/{session_id}", summary="结束一个登录", handle=self.revoke,
                response=schemas.EndedOut, action=Action.SESSION_MANAGE, before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="GET", path="/privacy-agreement", summary="隐私保护说明", handle=self.privacy,
                response=schemas.PrivacyOut, action=Action.SESSION_OPEN, before_privacy=True, tags=tags,
            ),
            ApiRoute(
                method="POST", path="/privacy-agreement", summary="同意隐私保护说明", handle=self.agree,
                request=schemas.PrivacyIn, response=schemas.AgreedOut, action=Action.PROFILE_CHANGE, errors=(409,),
                key_required=False, before_privacy=True, tags=tags,
            ),
        )  # fmt: skip

    def _profile_routes(self) -> Sequence[ApiRoute]:
        tags = _TAGS["profile"]
        return (
            ApiRoute(
                method="POST", path="/identity", summary="切换身份", handle=self.switch, request=schemas.HatIn,
                response=schemas.ActorOut, action=Action.IDENTITY_SWITCH, errors=(409,), key_required=False, tags=tags,
            ),
            ApiRoute(
                method="GET", path="/profile", summary="我的资料", handle=self.profile, response=schemas.ProfileOut,
                action=Action.PROFILE_VIEW, tags=tags,
            ),
            ApiRoute(
                method="PATCH", path="/profile", summary="换手机号", handle=self.change_phone,
                request=schemas.ProfileIn, response=schemas.ProfileOut, action=Action.PROFILE_CHANGE,
                prepare=self.confirmed_phone("phone_code"), guesses=(PhoneCodeInvalid,), tags=tags,
            ),
            ApiRoute(
                method="GET", path="/children", summary="我的孩子", handle=self.children, response=schemas.ChildrenOut,
                action=Action.CHILDREN_LIST, tags=tags,
            ),
        )  # fmt: skip

    def _binding_routes(self) -> Sequence[ApiRoute]:
        tags = _TAGS["binding"]
        return (
            ApiRoute(
                method="POST", path="/bindings", summary="用邀请码绑定", handle=self.bind, request=schemas.BindingIn,
                response=schemas.BindingOut, action=Action.BINDING_REQUEST, errors=(409,), status=201,
                key_required=False, guesses=(UnknownCode, ProofWrong), tags=tags,
            ),
            ApiRoute(
                method="POST", path="/bindings/phone", summary="用微信手机号绑定", handle=self.bind_by_phone,
                request=schemas.PhoneBindingIn, response=schemas.BindingOut, action=Action.BINDING_REQUEST,
                errors=(404, 409), status=201, key_required=False, prepare=self.confirmed_phone("code"),
                guesses=(PhoneCodeInvalid,), tags=tags,
            ),
            ApiRoute(
                method="POST", path="/binding-requests", summary="请学校核对", handle=self.plead,
                request=schemas.BindingRequestIn, response=schemas.WaitingOut, action=Action.BINDING_REQUEST,
                errors=(404,), status=201, key_required=False, tags=tags,
            ),
            ApiRoute(
                method="DELETE", path="/bindings/{child_id}", summary="解除绑定", handle=self.unbind,
                response=schemas.UnboundOut, action=Action.BINDING_UNDO, tags=tags,
            ),
            ApiRoute(
                method="GET", path="/schools", summary="可以请求核对的学校", handle=self.schools,
                response=schemas.SchoolsOut, action=Action.BINDING_REQUEST, before_privacy=True, tags=tags,
            ),
        )  # fmt: skip

    def _message_routes(self) -> Sequence[ApiRoute]:
        tags = _TAGS["messages"]
        return (
            ApiRoute(
                method="GET", path="/subscriptions", summary="可以订阅的消息", handle=self.subscriptions,
                response=schemas.SubscriptionsOut, action=Action.PROFILE_VIEW, tags=tags,
            ),
            ApiRoute(
                method="POST", path="/subscriptions", summary="记下订阅的选择", handle=self.subscribe,
                request=schemas.SubscriptionsIn, response=schemas.SubscriptionsOut, action=Action.PROFILE_CHANGE,
                key_required=False, tags=tags,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- sessions
    async def log_in(self, call: ApiCall) -> BaseModel:
        """A session for whoever WeChat says it is."""
        body = cast("schemas.SessionIn", call.body)
        user = await self._services.logins.log_in(body.code, device=call.device)
        return schemas.SessionOut(
            token=user.session.secret, expires_at=to_local(user.session.expires_at), actor=_actor_out(user.actor)
        )

    async def current(self, call: ApiCall) -> BaseModel:
        """Who is logged in, and until when."""
        expires_at = await self._services.sessions.expiry(call.actor)
        return schemas.CurrentOut(expires_at=to_local(expires_at), actor=_actor_out(call.actor))

    async def log_out(self, call: ApiCall) -> BaseModel:
        """Ends the session in use."""
        await self._services.sessions.revoke(call.actor, call.actor.session_id or "")
        return schemas.EndedOut()

    async def sessions(self, call: ApiCall) -> BaseModel:
        """The caller's sessions everywhere."""
        rows = await self._services.sessions.sessions(call.actor)
        return schemas.DevicesOut(
            items=[
                schemas.DeviceOut(
                    id=row.id,
                    kind=row.kind,
                    device=row.device,
                    opened_at=to_local(row.opened_at),
                    seen_at=to_local(row.seen_at),
                    expires_at=to_local(row.expires_at),
                    is_current=row.is_current,
                )
                for row in rows
            ]
        )

    async def revoke(self, call: ApiCall) -> BaseModel:
        """Ends one of the caller's sessions."""
        await self._services.sessions.revoke(call.actor, call.id("session_id"))
        return schemas.EndedOut()

    async def privacy(self, call: ApiCall) -> BaseModel:
        """What is to be agreed to."""
        return schemas.PrivacyOut(version=PRIVACY_VERSION, text=texts.PRIVACY_NOTICE)

    async def agree(self, call: ApiCall) -> BaseModel:
        """The caller has read it and agrees."""
        body = cast("schemas.PrivacyIn", call.body)
        await self._services.profiles.agree(call.actor, body.version)
        return schemas.AgreedOut(version=body.version)

    # -------------------------------------------------------------------------------------------------------- profile
    async def switch(self, call: ApiCall) -> BaseModel:
        """The caller puts on the other hat."""
        body = cast("schemas.HatIn", call.body)
        await self._services.switching.switch(call.actor, body.worn)
        return _actor_out(await self._services.sessions.refreshed(call.actor))

    async def profile(self, call: ApiCall) -> BaseModel:
        """What is known about the caller."""
        known = await self._services.profiles.profile(call.actor)
        return schemas.ProfileOut(name=known.name, phone=known.phone, actor=_actor_out(call.actor))

    def confirmed_phone(self, field: str) -> Callable[[ApiCall], Awaitable[object]]:
        """Has WeChat tell the number that belongs to the code in a field of the body."""

        async def ask(call: ApiCall) -> object:
            return await self._services.logins.confirmed_phone(getattr(call.body, field))

        return ask

    async def change_phone(self, call: ApiCall) -> BaseModel:
        """The number WeChat confirmed is the caller's from now on."""
        await self._services.unbinding.change_phone(call.actor, call.prepared)
        return await self.profile(call)

    async def children(self, call: ApiCall) -> BaseModel:
        """The caller's own."""
        return schemas.ChildrenOut(
            items=[
                schemas.ChildOut.model_validate(
                    {
                        "id": child.id,
                        "name": child.name,
                        "school": child.school,
                        "class": child.class_name,
                        "grade": child.grade,
                    }
                )
                for child in await self._services.people.children_of(call.actor)
            ]
        )

    # -------------------------------------------------------------------------------------------------------- binding
    async def bind(self, call: ApiCall) -> BaseModel:
        """By invitation and second proof."""
        body = cast("schemas.BindingIn", call.body)
        proof = Proof(
            child_name=body.child_name, birth_date=body.birth_date, roster_number=body.roster_number, phone=body.phone
        )
        claim = Claim(relation=body.relation, name=body.name)
        return await self._bound(
            call, await self._services.bindings.bind_by_invitation(call.actor, body.code, proof, claim)
        )

    async def bind_by_phone(self, call: ApiCall) -> BaseModel:
        """By the number WeChat confirmed."""
        body = cast("schemas.PhoneBindingIn", call.body)
        outcome = await self._services.bindings.bind_by_phone(call.actor, call.prepared, person_id=body.person_id)
        return await self._bound(call, outcome)

    async def plead(self, call: ApiCall) -> BaseModel:
        """The school is asked to decide; the answer tells nothing."""
        body = cast("schemas.BindingRequestIn", call.body)
        plea = Plea(
            child_name=body.child_name,
            birth_date=body.birth_date,
            school_id=str(body.school_id),
            relation=body.relation,
            name=body.name,
        )
        await self._services.bindings.request_approval(call.actor, plea)
        return schemas.WaitingOut()

    async def unbind(self, call: ApiCall) -> BaseModel:
        """The caller lets go of a child."""
        child_id = call.id("child_id")
        await self._services.profiles.unbind_child(call.actor, child_id)
        return schemas.UnboundOut(id=child_id)

    async def schools(self, call: ApiCall) -> BaseModel:
        """Where one may ask to be bound."""
        rows = await self._services.profiles.open_schools(call.actor)
        return schemas.SchoolsOut(items=[schemas.SchoolOut(id=row.id, name=row.name) for row in rows])

    # ------------------------------------------------------------------------------------------------------- messages
    async def subscriptions(self, call: ApiCall) -> BaseModel:
        """What the caller may be asked to accept."""
        return _subscriptions_out(await self._services.subscriptions.subscriptions(call.actor))

    async def subscribe(self, call: ApiCall) -> BaseModel:
        """What the caller chose counts from now on."""
        body = cast("schemas.SubscriptionsIn", call.body)
        return _subscriptions_out(await self._services.subscriptions.report(call.actor, body.results))

    async def _bound(self, call: ApiCall, outcome: Outcome) -> BaseModel:
        """Raises the named error of a try that failed."""
        outcome.checked()
        actor = await self._services.sessions.refreshed(call.actor)
        status = "waiting" if outcome.result is Result.SENT_ON else "bound"
        return schemas.BindingOut(status=status, children=list(outcome.children), actor=_actor_out(actor))


def _actor_out(actor: Actor) -> schemas.ActorOut:
    return schemas.ActorOut.model_validate(
        {
            "roles": sorted(actor.roles),
            "name": actor.name if actor.has_agreed else None,
            "as": actor.hat,
            "may_be": sorted(actor.hats),
            "is_bound": actor.person_id is not None,
            "has_agreed": actor.has_agreed,
        }
    )


def _subscriptions_out(found: Subscriptions) -> schemas.SubscriptionsOut:
    items = [
        schemas.SubscriptionOut(
            template_id=item.template_id, purposes=list(item.purposes), left=item.left, is_refused=item.is_refused
        )
        for item in found.items
    ]
    return schemas.SubscriptionsOut(ask=list(found.ask), items=items)
