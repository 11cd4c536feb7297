"""A family's own sign-ups in the chat: the list, leaving, and answering an offer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, NotUnderstood
from bot.dialogue.router import Route, Tier, both, in_step
from bot.dialogue.sentences import sentence_for
from bot.errors import Conflict
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.after_school.chat.sign_up import FAMILIES, asks, not_a_guardian
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.domain.words import Wanted, wanted_by
from handlers.after_school.service import wording
from handlers.after_school.service.family import FamilyService, OwnLine
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.texts import sign_up as texts

DIALOGUE: Final = "after_school.own"
LISTED: Final = 12
_SURE: Final = frozenset({"1", "确认退报", "确认", "确定", "退", "退报", "是", "是的"})
_NOT_SURE: Final = frozenset({"2", "不退", "不退了", "不", "不了", "先不退"})
_AND: Final = ","


class Step(StrEnum):
    """Where somebody is in a dialogue."""

    LEAVE_WHICH = "leave_which"
    LEAVE_SURE = "leave_sure"
    OFFER_WHICH = "offer_which"


class OwnChat:
    """The handlers, over the services."""

    def __init__(self, family: FamilyService, leaving: LeavingService) -> None:
        self._family = family
        self._leaving = leaving

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, text, key = Action.SERVICE_SIGN_UP, TextMessage, Tier.KEYWORD
        return (
            Route(
                name="after_school.leave.which", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.LEAVE_WHICH),
                handle=self.leave_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.leave.sure", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.LEAVE_SURE),
                handle=self.leave_sure, action=own, changes=True,
            ),
            Route(
                name="after_school.offer.which", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.OFFER_WHICH),
                handle=self.offer_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.own", tier=key, of=text, when=both(FAMILIES, asks(Wanted.OWN)),
                handle=self.own, action=own, changes=False, protected=True,
            ),
            Route(
                name="after_school.leave", tier=key, of=text, when=both(FAMILIES, asks(Wanted.LEAVE)),
                handle=self.leave, action=own, changes=True,
            ),
            Route(
                name="after_school.offer", tier=key, of=text,
                when=both(FAMILIES, asks(Wanted.ACCEPT, Wanted.DECLINE)), handle=self.answer, action=own, changes=True,
            ),
            Route(
                name="after_school.not_a_guardian", tier=key, of=text, when=asks(Wanted.OWN, Wanted.LEAVE),
                handle=not_a_guardian, action=Action.CHAT_USE, changes=False,
            ),
        )  # fmt: skip

    async def own(self, context: ChatContext, message: TextMessage) -> Reply:
        """我的报名."""
        lines = (await self._family.own(context.actor))[:LISTED]
        if not lines:
            return TextReply(texts.OWN_EMPTY)
        offer = [texts.OWN_OFFER] if any(_is_offered(line) for line in lines) else []
        return TextReply("\n".join([texts.OWN_LEAD, *map(wording.own, lines), *offer, texts.OWN_TAIL]))

    # --------------------------------------------------------------------------------------------------------- leaving
    async def leave(self, context: ChatContext, message: TextMessage) -> Reply:
        """退报: of the only one at once, else which one."""
        lines = (await self._family.own(context.actor))[:LISTED]
        if not lines:
            return TextReply(texts.OWN_EMPTY)
        if len(lines) == 1:
            return self._ask_sure(context, lines[0])
        context.enter(DIALOGUE, Step.LEAVE_WHICH, {"shown": _shown(lines)})
        return TextReply(_choice([(_leave_label(line), line) for line in lines]).ask(texts.LEAVE_WHICH))

    async def leave_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which one: what a number means is what stood beside it."""
        lines = await self._again(context)
        own = Choice([(own, own) for own in context.session.answers["shown"].split(_AND)]).read(message.content)
        if own not in lines:
            context.leave()
            return TextReply(texts.OWN_EMPTY if not lines else texts.KEPT)
        return self._ask_sure(context, lines[own])

    def _ask_sure(self, context: ChatContext, line: OwnLine) -> Reply:
        context.enter(DIALOGUE, Step.LEAVE_SURE, {"enrolment": line.enrolment.id})
        return TextReply(texts.LEAVE_SURE.format(name=line.child, title=line.enrolment.programme))

    async def leave_sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """1 or 2, or the words."""
        if context.word in _NOT_SURE:
            context.leave()
            return TextReply(texts.KEPT)
        if context.word not in _SURE:
            raise NotUnderstood(texts.LEAVE_AGAIN)
        wanted = context.session.answers["enrolment"]
        line = (await self._again(context)).get(wanted)
        context.leave()
        if line is None:
            return TextReply(texts.OWN_EMPTY)
        await self._leaving.withdraw(context.actor, wanted, Source.CHAT)
        said = texts.LEFT_REST if line.enrolment.together_with else texts.LEFT
        return TextReply(said.format(name=line.child, title=line.enrolment.programme))

    # ---------------------------------------------------------------------------------------------------------- offers
    async def answer(self, context: ChatContext, message: TextMessage) -> Reply:
        """要 or 不要."""
        wish = wanted_by(message.content)
        offered = [line for line in await self._family.own(context.actor) if _is_offered(line)]
        parties = _parties(offered)
        if not parties:
            return TextReply(texts.OFFER_NONE)
        if len(parties) > 1:
            first = [party[0] for party in parties]
            context.enter(DIALOGUE, Step.OFFER_WHICH, {"shown": _shown(first), "wish": str(wish)})
            return TextReply(_choice([(_offer_label(party), party[0]) for party in parties]).ask(texts.OFFER_WHICH))
        return await self._answered(context, parties[0], is_wanted=wish is Wanted.ACCEPT)

    async def offer_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which one."""
        answers, lines = context.session.answers, await self._again(context)
        own = Choice([(own, own) for own in answers["shown"].split(_AND)]).read(message.content)
        party = next((each for each in _parties(list(lines.values())) if own in _ids(each)), None)
        context.leave()
        if party is None:
            return TextReply(texts.OFFER_NONE)
        return await self._answered(context, party, is_wanted=answers["wish"] == Wanted.ACCEPT)

    async def _answered(self, context: ChatContext, party: Sequence[OwnLine], *, is_wanted: bool) -> Reply:
        answer = self._leaving.accept if is_wanted else self._leaving.decline
        try:
            await answer(context.actor, party[0].enrolment.id, Source.CHAT)
        except Conflict as error:
            return TextReply(sentence_for(error))
        said = texts.ACCEPTED if is_wanted else texts.DECLINED
        return TextReply(
            said.format(
                names=wording.names([line.child for line in party]),
                titles=wording.names([line.enrolment.programme for line in party]),
            )
        )

    async def _again(self, context: ChatContext) -> dict[str, OwnLine]:
        """The sign-ups as they are now, by id."""
        return {line.enrolment.id: line for line in await self._family.own(context.actor)}


def _is_offered(line: OwnLine) -> bool:
    return line.enrolment.state is EnrolmentState.OFFERED


def _ids(party: Sequence[OwnLine]) -> set[str]:
    return {line.enrolment.id for line in party}


def _parties(lines: Sequence[OwnLine]) -> list[list[OwnLine]]:
    """Offers that are answered together: those of siblings who stand in line as one."""
    parties: list[list[OwnLine]] = []
    for line in lines:
        if not _is_offered(line):
            continue
        own = next((party for party in parties if party[0].enrolment.id in line.enrolment.together_with), None)
        if own is None:
            parties.append([line])
        else:
            own.append(line)
    return parties


def _shown(lines: Sequence[OwnLine]) -> str:
    return _AND.join(line.enrolment.id for line in lines)


def _choice(options: Sequence[tuple[str, OwnLine]]) -> Choice[OwnLine]:
    return Choice(options)


def _leave_label(line: OwnLine) -> str:
    view = line.enrolment
    return texts.LEAVE_LABEL.format(name=line.child, title=view.programme, state=wording.state(view))


def _offer_label(party: Sequence[OwnLine]) -> str:
    until = party[0].enrolment.offered_until
    return texts.OFFER_LABEL.format(
        name=wording.names([line.child for line in party]),
        title=wording.names([line.enrolment.programme for line in party]),
        until=wording.moment(until) if until else "",
    )
