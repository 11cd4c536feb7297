"""Who got what, and when: every message that arrived on a phone, in order, for tests to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import overload

from bot.emulator.screen import Means


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """One message on one phone.

    `text` is all that is shown, `values` a template's by key, as shown. `message_id` is the platform's, "" where it
    gives none; `client_id` the product's own (client_msg_id or clientmsgid), "" without; `link` where a tap leads.
    """

    at: datetime
    app_id: str
    openid: str
    means: Means
    text: str
    template_id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    message_id: str = ""
    client_id: str = ""
    link: str = ""


class SentLog(Sequence[SentMessage]):
    """All messages, oldest first."""

    def __init__(self) -> None:
        self._messages: list[SentMessage] = []

    def add(self, message: SentMessage) -> None:
        """A message has arrived."""
        self._messages.append(message)

    def to(self, openid: str, means: Means | None = None) -> list[SentMessage]:
        """What one person got; with `means`, by that way only."""
        return [each for each in self._messages if each.openid == openid and means in (None, each.means)]

    def by(self, means: Means) -> list[SentMessage]:
        """What went one way."""
        return [each for each in self._messages if each.means is means]

    def counts(self) -> Counter[tuple[str, str]]:
        """How often each person got each text, by openid and text."""
        return Counter((each.openid, each.text) for each in self._messages)

    def clear(self) -> None:
        """Forgets all of them."""
        self._messages.clear()

    @overload
    def __getitem__(self, index: int) -> SentMessage: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SentMessage]: ...
    def __getitem__(self, index: int | slice) -> SentMessage | Sequence[SentMessage]:
        return self._messages[index]

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[SentMessage]:
        return iter(self._messages)
