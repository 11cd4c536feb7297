"""Tables of the contact with families, by what they are about."""

from __future__ import annotations

from handlers.contacts.models.family import ContactsCall, ContactsHeard, ContactsWish, ContactsWord
from handlers.contacts.models.records import ContactsDraft, ContactsRecord, ContactsReport
from handlers.contacts.models.refreshing import ContactsRefresh, ContactsRefreshRule
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
    "ContactsCall",
    "ContactsCheck",
    "ContactsDraft",
    "ContactsDue",
    "ContactsExport",
    "ContactsFact",
    "ContactsFile",
    "ContactsGlass",
    "ContactsHeard",
    "ContactsLevel",
    "ContactsMonth",
    "ContactsPair",
    "ContactsPrint",
    "ContactsRecord",
    "ContactsRefresh",
    "ContactsRefreshRule",
    "ContactsReport",
    "ContactsRule",
    "ContactsWish",
    "ContactsWord",
]
