"""What the dispatcher asks of others: small protocols, implemented by capabilities and wired by `bot.app`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from bot.dialogue.context import ChatContext
from bot.wechat.messages import Inbound, TextReply

AlarmSource = Callable[[str], str | None]
"""What a guard recognises in a text, by name; None for an ordinary one. Quick, no I/O. Raises Unavailable."""

SendLater = Callable[[Inbound, TextReply], Coroutine[Any, Any, None]]
"""Has a reply follow as a message of its own, in the caller's transaction if there is one."""


KNOWN = "known"
"""In the profile of somebody whom the records know: without it nobody need look there who the person is."""

SCHOOL_PLACE = "school_place"
"""In the profile of a guardian: where the school of their children lies."""


class ProfileSource(Protocol):
    """Part of what the chat knows about a person, from the database."""

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """Names and values; {} for a stranger."""
        ...


class Preface(Protocol):
    """Something a person has to be told with the reply to their next message, whatever it is."""

    def is_due(self, profile: Mapping[str, str]) -> bool:
        """Whether something waits: read from the profile, without I/O."""
        ...

    async def take(self, context: ChatContext) -> str | None:
        """The text, which from now on counts as told; in the transaction of the message. None: nothing after all."""
        ...
