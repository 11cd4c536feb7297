"""The capabilities of this system, in the order in which they are built and their routes tried: the lower first, since
the higher use their services.

Removing a line removes the feature.
"""

from __future__ import annotations

from bot.capability import Capability
from handlers.accounts.capability import ACCOUNTS
from handlers.after_school.capability import AFTER_SCHOOL
from handlers.alarms.capability import ALARMS
from handlers.calendar.capability import CALENDAR
from handlers.consent.capability import CONSENT
from handlers.console.capability import CONSOLE
from handlers.contacts.capability import CONTACTS
from handlers.deliveries.capability import DELIVERIES
from handlers.duties.capability import DUTIES
from handlers.notices.capability import NOTICES
from handlers.policy.capability import POLICY
from handlers.reminders.capability import REMINDERS
from handlers.rosters.capability import ROSTERS
from handlers.support.capability import SUPPORT
from handlers.term_check.capability import TERM_CHECK

CAPABILITIES: tuple[Capability, ...] = (
    ACCOUNTS,
    ROSTERS,
    CONSENT,
    CONSOLE,
    CALENDAR,
    DELIVERIES,
    ALARMS,
    REMINDERS,
    NOTICES,
    AFTER_SCHOOL,
    CONTACTS,
    POLICY,
    DUTIES,
    TERM_CHECK,
    SUPPORT,
)
