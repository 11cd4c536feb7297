"""The policy capability, put together."""

from __future__ import annotations

from bot.capability import AnswerFacts, Capability, EntryPoints, Machinery, MenuItem
from handlers.accounts.service.identity import AccountsIdentity
from handlers.policy import chat, texts
from handlers.policy.api import PolicyApi
from handlers.policy.chat import PolicyChat
from handlers.policy.domain import article_of
from handlers.policy.service.answers import AnswerService
from handlers.policy.service.own import OwnAnswers
from handlers.policy.service.profiles import ProfileService
from handlers.policy.service.question_log import QuestionLog


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    log = QuestionLog(machinery.clock)
    answers = AnswerService(machinery.library, log, machinery.clock, machinery.metrics)
    profiles = ProfileService(machinery.clock)

    def sources() -> list[AnswerFacts]:
        return [source for part in machinery.parts for source in part.answer_facts]

    own = OwnAnswers(answers, sources)
    return EntryPoints(
        routes=PolicyChat(answers, own, profiles).routes(),
        api=PolicyApi(answers, own, profiles, machinery.services.get(AccountsIdentity)).routes(),
        profiles=(profiles,),
        erasers=(log, profiles),
        background=(log,),
        article_of=article_of,
    )


POLICY = Capability(
    name="policy",
    build=build,
    menu=(
        MenuItem("问政策", texts.MENU_HOW, chat.HOW),
        MenuItem("问政策", texts.MENU_ENROL, "ask.enrol"),
        MenuItem("问政策", texts.MENU_PAPERS, "ask.papers"),
        MenuItem("课后服务", texts.MENU_TIME, "ask.time"),
        MenuItem("课后服务", texts.MENU_FEE, "ask.fee"),
        MenuItem("课后服务", texts.MENU_SIGN_UP, "ask.sign_up"),
        MenuItem("课后服务", texts.MENU_WAIVER, "ask.waiver"),
        MenuItem("我的", texts.MENU_PLACE, chat.SHOW_PLACE),
    ),
)
