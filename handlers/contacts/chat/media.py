"""Pictures and voice notes in the dialogue of a record: kept beside it, and asked on for the words."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock, local_date
from bot.dialogue.context import ChatContext
from bot.dialogue.router import Filter, Narrow, Route, Tier
from bot.rights import Action
from bot.wechat.messages import ImageMessage, Inbound, Reply, TextReply, VoiceMessage
from handlers.contacts.chat.answers import CHILD, NAME, Step, open_question
from handlers.contacts.chat.wording import summary_words
from handlers.contacts.service.recording.fetching import Fetched, MediaFetching
from handlers.contacts.service.recording.recording import RecordingService
from handlers.contacts.texts import recording as texts

DIALOGUE: Final = "contacts.record"
_BEGUN: Final = (Step.HOW, Step.FINDING, Step.FOLLOW, Step.SURE)
"""There is a draft by then."""
_EARLY: Final = (Step.RESUME, Step.CHILD)


class RecordMedia:
    """The handlers, over the service."""

    def __init__(self, recording: RecordingService, fetching: MediaFetching, clock: Clock) -> None:
        self._recording = recording
        self._fetching = fetching
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, begun, early = Action.CONTACTS_OWN, _in(*_BEGUN), _in(*_EARLY)
        return (
            Route(
                name="contacts.record.voice", tier=Tier.STEP, of=VoiceMessage, when=begun, handle=self.voice,
                action=own, changes=True, prepare=self.fetch_voice,
            ),
            Route(
                name="contacts.record.picture", tier=Tier.STEP, of=ImageMessage, when=begun, handle=self.picture,
                action=own, changes=True, prepare=self.fetch_picture,
            ),
            Route(
                name="contacts.record.early_voice", tier=Tier.STEP, of=VoiceMessage, when=early, handle=too_early,
                action=own, changes=False, protected=True,
            ),
            Route(
                name="contacts.record.early_picture", tier=Tier.STEP, of=ImageMessage, when=early, handle=too_early,
                action=own, changes=False, protected=True,
            ),
        )  # fmt: skip

    async def fetch_voice(self, context: ChatContext, message: VoiceMessage) -> Fetched:
        """What is done before anything is locked."""
        return await self._fetching.voice(message.media_id)

    async def fetch_picture(self, context: ChatContext, message: ImageMessage) -> Fetched:
        """The same for a picture."""
        return await self._fetching.picture(message.media_id)

    async def voice(self, context: ChatContext, message: VoiceMessage) -> Reply:
        """A voice note: nobody here can hear it, so the words are asked for all the same."""
        return await self._kept(context, texts.VOICE_KEPT)

    async def picture(self, context: ChatContext, message: ImageMessage) -> Reply:
        """A picture."""
        return await self._kept(context, texts.PICTURE_KEPT)

    async def _kept(self, context: ChatContext, said: str) -> Reply:
        fetched, filled = context.prepared, context.session.answers
        if not isinstance(fetched, Fetched):
            return TextReply(texts.MEDIA_AGAIN)  # when it came, the step that waits for it was not yet known
        await self._recording.attach(context.actor, filled[CHILD], fetched.media)
        step, question = open_question(filled, filled[NAME])
        if step is None:
            summary = summary_words(filled[NAME], filled, local_date(self._clock.now()))
            question = texts.SURE.format(summary=summary)
        return TextReply(f"{said}\n{question}")


async def too_early(context: ChatContext, message: Inbound) -> Reply:
    """It is not known yet whose it is."""
    return TextReply(texts.CHILD_FIRST)


def _in(*steps: Step) -> Filter:
    def fits(context: ChatContext, message: Inbound) -> bool:
        return context.session.dialogue == DIALOGUE and context.session.step in steps

    return Narrow(fits, dialogue=DIALOGUE)
