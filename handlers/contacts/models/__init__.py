"""Tables of the contact with families, by what they are about."""

from __future__ import annotations

from handlers.contacts.models.records import ContactsDraft, ContactsRecord, ContactsReport
from handlers.contacts.models.register import ContactsCheck, ContactsFact, ContactsFile, ContactsLevel, ContactsPair
from handlers.contacts.models.watching import (
    ContactsDue,
    ContactsExport,
    ContactsGlass,
    ContactsMonth,
    ContactsPrint,
    ContactsRule,
)

__all__ = [
    "ContactsCheck",
    "ContactsDraft",
    "ContactsDue",
    "ContactsExport",
    "ContactsFact",
    "ContactsFile",
    "ContactsGlass",
    "ContactsLevel",
    "ContactsMonth",
    "ContactsPair",
    "ContactsPrint",
    "ContactsRecord",
    "ContactsReport",
    "ContactsRule",
]
