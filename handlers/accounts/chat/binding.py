"""The dialogue by which somebody is bound: agreement, code, second proof, and what else has to be said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.ports import KNOWN
from bot.dialogue.prompts import Choice, Confirm, NotUnderstood
from bot.dialogue.router import Filter, Route, Tier, both, event, idle, in_step, menu_key, words
from bot.identity import Actor, Hat
from bot.rights import Action
from bot.wechat.messages import Event, Inbound, Reply, TextMessage, TextReply
from handlers.accounts import texts
from handlers.accounts.chat.reading import read_child, read_name, read_phone_end
from handlers.accounts.domain import RELATION_WORDS, Account, InvitationKind, Relation
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.codes import LENGTH, SCENE_PREFIX, read_code
from handlers.accounts.service.outcomes import Claim, Outcome, Proof, Result
from handlers.accounts.service.requests import BindingRequests, Plea, SchoolName
from handlers.accounts.service.wechat_ids import IdentityService

DIALOGUE: Final = "accounts.binding"
START: Final = "accounts.bind"
"""The key of the menu button."""
AGREE, HOW, CODE, PROOF, STAFF_PROOF, RELATION, NAME, CHILD, SCHOOL = (
    "agree", "how", "code", "proof", "staff_proof", "relation", "name", "child", "school",
)  # fmt: skip
WORDS: Final = (
    "绑定",
    "绑定孩子",
    "绑定家长",
    "家长绑定",
    "我要绑定",
    "我是家长",
    "老师绑定",
    "绑定老师",
    "邀请码",
    "我有邀请码",
)
_BY_CODE, _BY_PLEA = "code", "plea"
_HOW: Final = Choice(((texts.HOW_CODE, _BY_CODE), (texts.HOW_PLEA, _BY_PLEA)))
_NO_CODE: Final = frozenset({"没有", "没", "无", "没有邀请码", "没收到", "丢了", "找不到"})
_RELATION: Final = Choice(tuple((word, relation) for relation, word in RELATION_WORDS.items()))
_ALSO: Final[Mapping[str, Relation]] = {
    "父亲": Relation.FATHER, "爸": Relation.FATHER, "母亲": Relation.MOTHER, "妈": Relation.MOTHER,
    "姥爷": Relation.MATERNAL_GRANDFATHER, "姥姥": Relation.MATERNAL_GRANDMOTHER, "其他": Relation.OTHER,
    "祖父": Relation.PATERNAL_GRANDFATHER, "祖母": Relation.PATERNAL_GRANDMOTHER,
    "外祖父": Relation.MATERNAL_GRANDFATHER, "外祖母": Relation.MATERNAL_GRANDMOTHER,
}  # fmt: skip
_MOST_CHOICES: Final = 20


Step = Callable[[ChatContext, TextMessage], Awaitable[Reply]]


class BindingChat:
    """The handlers, over the services."""

    def __init__(self, binding: BindingService, identities: IdentityService, requests: BindingRequests) -> None:
        self._binding = binding
        self._identities = identities
        self._requests = requests

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        steps: Mapping[str, Step] = {
            AGREE: self.agreed, HOW: self.how_said, CODE: self.code_said, PROOF: self.proof_said,
            STAFF_PROOF: self.staff_proof_said, RELATION: self.relation_said, NAME: self.name_said,
            CHILD: self.child_said, SCHOOL: self.school_said,
        }  # fmt: skip
        return (
            *(_step_route(step, handle) for step, handle in steps.items()),
            Route(
                name="accounts.binding.scanned", tier=Tier.MENU, of=Event,
                when=both(event("subscribe", "scan"), _invited), handle=self.scanned,
                action=Action.BINDING_REQUEST, changes=True,
            ),
            Route(
                name="accounts.binding.tapped", tier=Tier.MENU, of=Event, when=menu_key(START),
                handle=self.start, action=Action.BINDING_REQUEST, changes=True,
            ),
            Route(
                name="accounts.binding.start", tier=Tier.KEYWORD, of=TextMessage, when=words(*WORDS),
                handle=self.start, action=Action.BINDING_REQUEST, changes=True,
            ),
            Route(
                name="accounts.binding.typed", tier=Tier.KEYWORD, of=TextMessage, when=both(idle, _is_code),
                handle=self.code_typed, action=Action.BINDING_REQUEST, changes=True,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- beginning
    async def start(self, context: ChatContext, message: Inbound) -> Reply:
        """绑定."""
        return await self._begin(context, None)

    async def scanned(self, context: ChatContext, message: Event) -> Reply:
        """The QR code of an invitation: the scene carries its code."""
        return await self._begin(context, read_code(message.scene or ""))

    async def code_typed(self, context: ChatContext, message: TextMessage) -> Reply:
        """The code alone, or with 绑定 before it."""
        return await self._begin(context, read_code(message.content))

    async def _begin(self, context: ChatContext, code: str | None) -> Reply:
        if not await self._has_agreed(context):
            context.enter(DIALOGUE, AGREE, {"code": code or ""})
            return TextReply(texts.PRIVACY)
        return await self._after_agreement(context, code)

    async def agreed(self, context: ChatContext, message: TextMessage) -> Reply:
        """同意."""
        try:
            has_agreed = Confirm().read(message.content)
        except NotUnderstood:
            return TextReply(texts.PRIVACY_AGAIN)
        if not has_agreed:
            context.leave()
            return TextReply(texts.KEPT_NOTHING)
        await self._identities.agree(Account.SERVICE, context.openid)
        context.change_profile(**{KNOWN: "1"})
        return await self._after_agreement(context, context.session.answers.get("code") or None)

    async def _after_agreement(self, context: ChatContext, code: str | None) -> Reply:
        if code is not None:
            return await self._take_code(context, code)
        context.enter(DIALOGUE, HOW)
        return TextReply(_HOW.ask(texts.HOW))

    async def how_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """With a code, or without; the code itself will do."""
        if (code := read_code(message.content)) is not None:
            return await self._take_code(context, code)
        if _HOW.read(message.content) == _BY_PLEA:
            return self._ask_child(context)
        context.enter(DIALOGUE, CODE)
        return TextReply(texts.ASK_CODE)

    # ------------------------------------------------------------------------------------------------------------ code
    async def code_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """The code of the invitation."""
        if context.word in _NO_CODE:
            return self._ask_child(context)
        code = read_code(message.content)
        if code is None:
            raise NotUnderstood(texts.NO_CODE_IN_IT)
        return await self._take_code(context, code)

    async def _take_code(self, context: ChatContext, code: str) -> Reply:
        refused, kind = await self._binding.look_at_code(await self._actor(context), code)
        if refused is Result.UNKNOWN_CODE:
            context.enter(DIALOGUE, CODE)
            return TextReply(texts.UNKNOWN_CODE)
        if refused is not None:
            context.leave()
            return TextReply(_ENDINGS[refused])
        is_staff = kind is InvitationKind.STAFF
        context.enter(DIALOGUE, STAFF_PROOF if is_staff else PROOF, {"code": code})
        return TextReply(texts.ASK_STAFF_PROOF if is_staff else texts.ASK_PROOF)

    # ---------------------------------------------------------------------------------------------------- second proof
    async def proof_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """Name and date of birth, in one message or in two, or the number on the roster."""
        missing = self._note_child(context, message, PROOF)
        return missing or await self._try(context)

    async def staff_proof_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """The number the school has, or its end."""
        said = read_phone_end(message.content)
        if said is None:
            raise NotUnderstood(texts.NO_PHONE_IN_IT)
        code = context.session.answers["code"]
        outcome = await self._binding.bind_by_invitation(await self._actor(context), code, Proof(phone=said))
        if outcome.result is Result.WRONG_PROOF:
            return self._proof_again(context, outcome, STAFF_PROOF, texts.WRONG_PROOF_STAFF)
        return self._ended(context, outcome)

    async def relation_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """What the asker is to the child."""
        relation = _ALSO.get(context.word) or _RELATION.read(message.content)
        answers = {**context.session.answers, "relation": relation.value}
        if "code" in answers:
            context.enter(DIALOGUE, NAME, answers)
            return await self._try(context)
        context.enter(DIALOGUE, NAME, answers)
        return TextReply(texts.ASK_NAME)

    async def name_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """The asker's own name."""
        name = read_name(message.content)
        if name is None:
            raise NotUnderstood(texts.BAD_NAME)
        context.enter(DIALOGUE, NAME, {**context.session.answers, "own_name": name})
        return await (self._try(context) if "code" in context.session.answers else self._plead(context))

    async def _try(self, context: ChatContext) -> Reply:
        answers = context.session.answers
        proof = Proof(
            child_name=answers.get("name"),
            birth_date=_day(answers.get("birth")),
            roster_number=answers.get("roster"),
        )
        relation = Relation(answers["relation"]) if "relation" in answers else None
        claim = Claim(relation=relation, name=answers.get("own_name"))
        outcome = await self._binding.bind_by_invitation(await self._actor(context), answers["code"], proof, claim)
        if outcome.result is Result.NEEDS_RELATION:
            context.enter(DIALOGUE, RELATION, answers)
            return TextReply(_RELATION.ask(texts.ASK_RELATION))
        if outcome.result is Result.NEEDS_NAME:
            context.enter(DIALOGUE, NAME, answers)
            return TextReply(texts.ASK_NAME)
        if outcome.result is Result.WRONG_PROOF:
            return self._proof_again(context, outcome, PROOF, texts.WRONG_PROOF)
        return self._ended(context, outcome)

    def _proof_again(self, context: ChatContext, outcome: Outcome, step: str, sentence: str) -> Reply:
        if not outcome.tries_left:
            context.leave()
            return TextReply(texts.LAST_TRY_GONE)
        context.enter(DIALOGUE, step, {"code": context.session.answers["code"]})
        return TextReply(sentence + texts.TRIES_LEFT.format(count=outcome.tries_left))

    def _ended(self, context: ChatContext, outcome: Outcome) -> Reply:
        context.leave()
        if outcome.result is Result.BOUND:
            return TextReply(_welcome(context, outcome))
        return TextReply(_ENDINGS[outcome.result])

    # -------------------------------------------------------------------------------------------------- without a code
    def _ask_child(self, context: ChatContext) -> Reply:
        context.enter(DIALOGUE, CHILD)
        return TextReply(texts.ASK_CHILD)

    async def child_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """Whom it is about."""
        missing = self._note_child(context, message, CHILD)
        if missing is not None:
            return missing
        schools = await self._requests.open_schools()
        if not schools:
            context.leave()
            return TextReply(texts.NO_SCHOOL_YET)
        context.enter(DIALOGUE, SCHOOL, context.session.answers)
        return TextReply(
            _which(schools).ask(texts.ASK_SCHOOL) if len(schools) <= _MOST_CHOICES else texts.ASK_SCHOOL_NAME
        )

    async def school_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which school is to look for the child."""
        schools = await self._requests.open_schools()
        named = [school for school in schools if context.word and context.word in school.name.lower()]
        chosen = named[0].id if len(named) == 1 else _which(schools).read(message.content)
        context.enter(DIALOGUE, RELATION, {**context.session.answers, "school": chosen})
        return TextReply(_RELATION.ask(texts.ASK_RELATION_PLEA))

    async def _plead(self, context: ChatContext) -> Reply:
        answers = context.session.answers
        birth = _day(answers.get("birth"))
        assert birth is not None
        plea = Plea(
            child_name=answers["name"],
            birth_date=birth,
            school_id=answers["school"],
            relation=Relation(answers["relation"]),
            name=answers["own_name"],
        )
        return self._ended(context, await self._binding.request_approval(await self._actor(context), plea))

    # ------------------------------------------------------------------------------------------------------- machinery
    def _note_child(self, context: ChatContext, message: TextMessage, step: str) -> Reply | None:
        """Keeps what the text has of the child; the question for what is still missing, None when all is there."""
        said = read_child(message.content)
        if said.is_empty or (said.roster_number is not None and step == CHILD):
            raise NotUnderstood(texts.NO_PROOF_IN_IT if step == PROOF else texts.NO_CHILD_IN_IT)
        found = {
            "name": said.name,
            "birth": said.birth.isoformat() if said.birth else None,
            "roster": said.roster_number,
        }
        answers = {**context.session.answers, **{key: value for key, value in found.items() if value}}
        context.enter(DIALOGUE, step, answers)
        if "roster" in answers or ("name" in answers and "birth" in answers):
            return None
        return TextReply(texts.ASK_BIRTH if "name" in answers else texts.ASK_CHILD_NAME)

    async def _has_agreed(self, context: ChatContext) -> bool:
        known = await self._identities.look_up(context.openid_index)
        return known is not None and known.has_agreed

    async def _actor(self, context: ChatContext) -> Actor:
        """The sender, with the WeChat id they come with."""
        known = await self._identities.introduce(Account.SERVICE, context.openid)
        context.change_profile(**{KNOWN: "1"})
        return replace(context.actor, identity_id=known.id, person_id=known.person_id)


_ENDINGS: Final[Mapping[Result, str]] = {
    Result.ALREADY: texts.ALREADY,
    Result.UNKNOWN_CODE: texts.UNKNOWN_CODE,
    Result.CODE_OVER: texts.CODE_OVER,
    Result.TOO_OFTEN: texts.TOO_OFTEN,
    Result.SENT_ON: texts.SENT_ON,
    Result.STAFF_FIRST: texts.STAFF_FIRST,
}


def _welcome(context: ChatContext, outcome: Outcome) -> str:
    if not outcome.children:
        return texts.BOUND_STAFF
    lines = [texts.BOUND.format(children="、".join(outcome.children))]
    if outcome.is_staff and context.actor.hat is not Hat.GUARDIAN:
        lines.append(texts.BOUND_BOTH)
    return "\n".join([*lines, texts.NEXT_CONSENT])


def _which(schools: Sequence[SchoolName]) -> Choice[str]:
    return Choice(tuple((school.name, school.id) for school in schools))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _invited(context: ChatContext, message: Event) -> bool:
    return message.scene is not None and message.scene.startswith(SCENE_PREFIX)


def _is_code(context: ChatContext, message: TextMessage) -> bool:
    """A code alone, perhaps after 绑定 or 邀请码: nothing else that somebody may want to say."""
    said = context.word.removeprefix("绑定").removeprefix("邀请码").strip(" :：是")
    return LENGTH <= len(said) <= LENGTH + 4 and said.isascii() and read_code(said) is not None


def _step_route(step: str, handle: Step) -> Route:
    return Route(
        name=f"accounts.binding.{step}", tier=Tier.STEP, of=TextMessage, when=_in(step),
        handle=handle, action=Action.BINDING_REQUEST, changes=True,
    )  # fmt: skip


def _in(step: str) -> Filter:
    return in_step(DIALOGUE, step)
