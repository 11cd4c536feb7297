"""One's own affairs in the chat: the children one sees, as what one acts, and being let go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Confirm
from bot.dialogue.router import Route, Tier, both, has_role, in_step, words
from bot.identity import Actor, Hat, Role
from bot.rights import Action
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.accounts import texts
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.switching import SwitchService
from handlers.accounts.service.views import ChildView
from handlers.accounts.service.wechat_ids import IdentityService

DIALOGUE: Final = "accounts.unbinding"
CONFIRM: Final = "confirm"
_CHILDREN: Final = ("我的孩子", "我孩子", "查看孩子")
_SWITCH: Final = ("切换身份", "换身份", "切换")
_UNBIND: Final = ("解除绑定", "解绑", "取消绑定")


Children = Callable[[Actor], Awaitable[Sequence[ChildView]]]


class OwnChat:
    """The handlers, over the services."""

    def __init__(
        self, binding: BindingService, identities: IdentityService, switching: SwitchService, children: Children
    ) -> None:
        self._binding = binding
        self._identities = identities
        self._switching = switching
        self._children = children

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        text = TextMessage
        return (
            Route(
                name="accounts.children", tier=Tier.KEYWORD, of=text,
                when=both(has_role(Role.GUARDIAN), words(*_CHILDREN)),
                handle=self.show_children, action=Action.CHILD_VIEW, changes=False, protected=True,
            ),
            Route(
                name="accounts.children.none", tier=Tier.KEYWORD, of=text, when=words(*_CHILDREN),
                handle=self.say_how, action=Action.CHAT_USE, changes=False, protected=True,
            ),
            Route(
                name="accounts.switch", tier=Tier.KEYWORD, of=text, when=both(_has_two_hats, words(*_SWITCH)),
                handle=self.switch, action=Action.IDENTITY_SWITCH, changes=True,
            ),
            Route(
                name="accounts.switch.none", tier=Tier.KEYWORD, of=text, when=words(*_SWITCH),
                handle=_only_one, action=Action.CHAT_USE, changes=False, protected=True,
            ),
            Route(
                name="accounts.unbind.confirm", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, CONFIRM),
                handle=self.unbind, action=Action.BINDING_REQUEST, changes=True,
            ),
            Route(
                name="accounts.unbind", tier=Tier.KEYWORD, of=text, when=words(*_UNBIND),
                handle=self.ask_unbind, action=Action.BINDING_REQUEST, changes=True,
            ),
        )  # fmt: skip

    async def show_children(self, context: ChatContext, message: Inbound) -> Reply:
        """我的孩子."""
        children = await self._children(context.actor)
        lines = [texts.CHILD_LINE.format(name=each.name, school=each.school, room=each.class_name) for each in children]
        return TextReply("\n".join([texts.CHILDREN, *lines, texts.CHILDREN_TAIL]))

    async def say_how(self, context: ChatContext, message: Inbound) -> Reply:
        """我的孩子, from somebody who has none here, or wears the other hat."""
        return TextReply(texts.SWITCH_FIRST if Hat.GUARDIAN in context.actor.hats else texts.HOW_TO_BIND)

    async def switch(self, context: ChatContext, message: Inbound) -> Reply:
        """切换身份."""
        hat = await self._switching.switch(await self._actor(context))
        return TextReply(texts.AS_GUARDIAN if hat is Hat.GUARDIAN else texts.AS_STAFF)

    async def ask_unbind(self, context: ChatContext, message: Inbound) -> Reply:
        """解除绑定: asks again first."""
        actor = await self._actor(context)
        if actor.person_id is None:
            return TextReply(texts.NOT_BOUND)
        context.enter(DIALOGUE, CONFIRM)
        return TextReply(texts.CONFIRM_UNBIND)

    async def unbind(self, context: ChatContext, message: TextMessage) -> Reply:
        """是, or not."""
        is_sure = Confirm().read(message.content)
        context.leave()
        if not is_sure:
            return TextReply(texts.KEPT)
        actor = await self._actor(context)
        if actor.person_id is not None:
            await self._binding.unbind(actor)
        return TextReply(texts.UNBOUND)

    async def _actor(self, context: ChatContext) -> Actor:
        """The sender, with the WeChat id they come with."""
        known = await self._identities.look_up(context.openid_index)
        if known is None:
            return context.actor
        return replace(context.actor, identity_id=known.id, person_id=known.person_id)


def _has_two_hats(context: ChatContext, message: Inbound) -> bool:
    return len(context.actor.hats) > 1


async def _only_one(context: ChatContext, message: Inbound) -> Reply:
    return TextReply(texts.ONLY_ONE_HAT)
