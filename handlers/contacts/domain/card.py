"""The contact card: about whom something is known, and what."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Holder(StrEnum):
    """Whom a fact of the card is about."""

    CHILD = "child"
    PARENT_1 = "parent_1"
    PARENT_2 = "parent_2"
    CARER = "carer"
    """Who looks after the child while the parents are away."""
    VILLAGE = "village"
    """The contact of the village."""


class FactKind(StrEnum):
    """What is known."""

    NAME = "name"
    RELATION = "relation"
    PHONE = "phone"
    ADDRESS = "address"
    WORKPLACE = "workplace"
    EMPLOYER = "employer"
    LAST_HOME = "last_home"
    AGE = "age"
    HEALTH = "health"
    ENTRUSTMENT = "entrustment"
    BARRED = "barred"


class FactSource(StrEnum):
    """Who said it."""

    CHILD = "child"
    PARENT = "parent"
    CARER = "carer"
    VILLAGE = "village"
    SCHOOL = "school"


class Fitness(StrEnum):
    """How a check of the carer came out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


CONFIDENTIAL: Final = frozenset({FactKind.AGE, FactKind.HEALTH, FactKind.BARRED})
"""What says whether somebody is fit to look after a child: the protection lead's alone."""

CALLS_UNTIL_STALE: Final = 2
"""A phone number nobody answered so often has to be asked for anew."""
