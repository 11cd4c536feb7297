"""What a handler is given about the moment: who speaks, what they are in the middle of, and how to change that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.dialogue.notes import read_note
from bot.dialogue.session import Session
from bot.identity import Actor

NOTHING_KNOWN: Mapping[str, str] = {}


class ChatContext:
    """One message's surroundings.

    `profile` is what the chat knows about the person ({} when unknown or not to be used). Only routes that declare to
    change something may move the session, change the profile or erase; for others that is a programming fault.
    """

    __slots__ = (
        "_changeable",
        "_note",
        "_recent",
        "actor",
        "alarm",
        "authenticated",
        "erased",
        "noted",
        "now",
        "openid",
        "prepared",
        "profile",
        "profile_changes",
        "session",
        "stale_profiles",
        "word",
    )

    def __init__(
        self,
        *,
        actor: Actor,
        openid: str,
        now: datetime,
        session: Session,
        profile: Mapping[str, str] = NOTHING_KNOWN,
        note: bytes | None = None,
        word: str = "",
        alarm: str | None = None,
        authenticated: bool = True,
        changeable: bool = False,
        prepared: object = None,
    ) -> None:
        """`note` as it is kept; `word`: the text in the form commands are compared in; `alarm`: what the guard saw;
        `prepared`: what the route's `prepare` gave."""
        self.actor = actor
        self.openid = openid
        self.now = now
        self.session = session
        self.profile = profile
        self._note = note
        self._recent: str | None = None
        self.word = word
        self.alarm = alarm
        self.authenticated = authenticated
        self.prepared = prepared
        self.noted: str | None = None
        self.profile_changes: dict[str, str] = {}
        self.erased: str | None = None
        self.stale_profiles: set[str] = set()
        self._changeable = changeable

    @property
    def openid_index(self) -> str:
        """The blind index of the sender."""
        return self.actor.openid_index or ""

    @property
    def recent(self) -> str | None:
        """What was noted for this message, None when nothing was, or too long ago."""
        if self._note is not None:
            self._recent, self._note = read_note(self._note, self.now), None
        return self._recent

    def enter(self, dialogue: str, step: str, answers: Mapping[str, str] | None = None) -> None:
        """Goes to a step of a dialogue; the answers given replace those of before."""
        self._change()
        self.session = self.session.entered(dialogue, step, answers or {}, self.now)

    def leave(self) -> None:
        """Ends the dialogue, if there is one."""
        self._change()
        self.session = self.session.left()

    def change_profile(self, **values: str) -> None:
        """What the chat knows from now on; the row behind it is the capability's own affair."""
        self._change()
        self.profile_changes |= values

    def refresh_profile_of(self, openid_index: str) -> None:
        """What the chat knows about somebody else has changed in the database."""
        self._change()
        self.stale_profiles.add(openid_index)

    def erase(self, openid_index: str) -> None:
        """Everything the chat keeps about a person for a while goes, once the use case has committed."""
        self._change()
        self.erased = openid_index

    def note(self, text: str) -> None:
        """Notes something for the person's next message, for ten minutes. Any route may; losing it harms nothing."""
        self.noted = text

    def _change(self) -> None:
        if not self._changeable:
            raise RuntimeError("the route does not declare that it changes something")
