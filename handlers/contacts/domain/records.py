"""What a contact record says."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """How contact was made."""

    VISIT = "visit"
    CALL = "call"
    VIDEO = "video"
    SCHOOL = "school"


class DayPart(StrEnum):
    """When on its day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class Met(StrEnum):
    """Who was met or spoken to."""

    CHILD = "child"
    CARER = "carer"
    PARENT = "parent"


class ContactOutcome(StrEnum):
    """Whether somebody was reached: an attempt is written down too, and resets no clock."""

    REACHED = "reached"
    FAILED = "failed"


class Topic(StrEnum):
    """What was spoken of."""

    LIFE = "life"
    STUDY = "study"
    MIND = "mind"
    SAFETY = "safety"


class ReportState(StrEnum):
    """How far a mandatory report has come: it blocks until it is complete, and is closed with words only."""

    OPEN = "open"
    COMPLETE = "complete"
    CLOSED = "closed"
