"""What the protection lead is shown of the register."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.accounts.service.audiences import WardMeant
from handlers.contacts.domain.register import Group, Level, Reason
from handlers.contacts.domain.suggestions import Suggestion


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A child on the register, once whatever its groups. `level` None: nobody has set one. `review_on`: the first day
    on which a file or the level is to be looked at again. `keepers`: names of those who keep contact; none: the child
    has nobody."""

    ward: WardMeant
    groups: tuple[Group, ...]
    level: Level | None
    review_on: date
    keepers: tuple[str, ...]

    @property
    def is_orphaned(self) -> bool:
        """Nobody keeps contact with the child."""
        return not self.keepers


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a child. Names of staff, "" for nobody any more."""

    id: str
    group: Group
    reason: Reason
    words: str = field(repr=False)
    since: date
    decided_by: str
    decided_at: datetime
    review_on: date
    reviewed_by: str
    reviewed_at: datetime | None
    ended_on: date | None
    ended_by: str
    end_reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LevelView:
    """A level as somebody set it."""

    level: Level
    reason: str = field(repr=False)
    set_by: str
    set_at: datetime
    review_on: date


@dataclass(frozen=True, slots=True)
class ChildFile:
    """Everything the register holds of a child: open files first, levels with the newest first. `of_age_on` None: when
    the child was born is not known."""

    ward: WardMeant
    of_age_on: date | None
    files: tuple[FileView, ...]
    levels: tuple[LevelView, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def open_files(self) -> tuple[FileView, ...]:
        """Those that go on."""
        return tuple(each for each in self.files if each.ended_on is None)

    @property
    def level(self) -> Level | None:
        """The one in force."""
        return self.levels[0].level if self.levels else None
