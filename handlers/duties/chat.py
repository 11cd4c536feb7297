"""我的任务: what somebody on the staff has to do, and ticking it off."""

from __future__ import annotations

from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, FreeText
from bot.dialogue.router import Route, Tier, both, has_role, in_step, words
from bot.rights import Action, roles_for
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.duties import texts
from handlers.duties.domain import LONGEST_NOTE, UNFINISHED, TaskState
from handlers.duties.service.tasks import TaskService
from handlers.duties.service.views import TaskView

DIALOGUE: Final = "duties"
PICK: Final = "pick"
NOTE: Final = "note"
_TASK: Final = "task"
_WORDS: Final = ("我的任务", "任务", "定期工作", "我的定期工作")
_NOTE_TEXT: Final = FreeText(most=LONGEST_NOTE)
_MAY: Final = has_role(*roles_for(Action.DUTY_DO))


class DutyChat:
    """The handlers, over the service. Its words mean something to the staff only."""

    def __init__(self, tasks: TaskService) -> None:
        self._tasks = tasks

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="duties.own", tier=Tier.KEYWORD, of=TextMessage, when=both(_MAY, words(*_WORDS)),
                handle=self.show, action=Action.DUTY_DO, changes=True,
            ),
            Route(
                name="duties.pick", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, PICK),
                handle=self.pick, action=Action.DUTY_DO, changes=True,
            ),
            Route(
                name="duties.note", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, NOTE),
                handle=self.note, action=Action.DUTY_DO, changes=True,
            ),
        )  # fmt: skip

    async def show(self, context: ChatContext, message: TextMessage) -> Reply:
        """我的任务: a list with numbers."""
        tasks, count = await self._tasks.own(context.actor)
        if not tasks:
            context.leave()
            return TextReply(texts.NOTHING)
        context.enter(DIALOGUE, PICK, {str(number): task.id for number, task in enumerate(tasks, 1)})
        lines = [texts.LISTED.format(count=count), *(_line(number, task) for number, task in enumerate(tasks, 1))]
        if count > len(tasks):
            lines.append(texts.LISTED_MORE.format(count=count - len(tasks)))
        return TextReply("\n".join([*lines, texts.LISTED_TAIL]))

    async def pick(self, context: ChatContext, message: TextMessage) -> Reply:
        """The number of one of them: asked for a note. Any other word of the list shows it anew."""
        if context.word in _WORDS:
            return await self.show(context, message)
        ids = context.session.answers
        numbers = [(number, number) for number in sorted(ids, key=int)]
        task = await self._tasks.one(context.actor, ids[Choice(numbers).read(message.content)])
        context.enter(DIALOGUE, NOTE, {_TASK: task.id})
        return TextReply(texts.ASK_NOTE.format(title=task.title, place=task.place))

    async def note(self, context: ChatContext, message: TextMessage) -> Reply:
        """好了, or what there is to say about it: done."""
        words = "" if context.word in texts.DONE_WORDS else _NOTE_TEXT.read(message.content)
        task_id = context.session.answers[_TASK]
        context.leave()
        task = await self._tasks.do(context.actor, task_id, words)
        return TextReply(texts.CHAT_DONE.format(title=task.title, place=task.place))


def _line(number: int, task: TaskView) -> str:
    day = texts.DAY.format(month=task.due_on.month, day=task.due_on.day)
    is_late = task.state in UNFINISHED and task.state is not TaskState.OPEN
    state = texts.LINE_IS_LATE if is_late else texts.LINE_IS_OPEN
    return texts.LISTED_LINE.format(number=number, title=task.title, place=task.place, state=state.format(day=day))
