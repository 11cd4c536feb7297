"""Tables of the after-school service, by what they are about."""

from __future__ import annotations

from handlers.after_school.models.days import (
    AfterSchoolAttendance,
    AfterSchoolAttendanceEvent,
    AfterSchoolCollection,
    AfterSchoolDayCheck,
    AfterSchoolDutySlot,
    AfterSchoolIncident,
    AfterSchoolLeave,
    AfterSchoolSession,
)
from handlers.after_school.models.intakes import AfterSchoolIntake
from handlers.after_school.models.months import (
    AfterSchoolBill,
    AfterSchoolMonth,
    AfterSchoolObjection,
    AfterSchoolPayment,
    AfterSchoolPoll,
    AfterSchoolPollCount,
    AfterSchoolPollVoter,
)
from handlers.after_school.models.offers import (
    AfterSchoolDayOff,
    AfterSchoolFeeCap,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.models.sign_up import (
    AfterSchoolDraw,
    AfterSchoolDrawn,
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolStatement,
    AfterSchoolTally,
)
from handlers.after_school.models.slips import AfterSchoolSlip
from handlers.after_school.models.waivers import (
    AfterSchoolWaived,
    AfterSchoolWaiver,
    AfterSchoolWaiverCategory,
    AfterSchoolWaiverEvent,
    AfterSchoolWaiverList,
    AfterSchoolWaiverListed,
)

__all__ = [
    "AfterSchoolAttendance",
    "AfterSchoolAttendanceEvent",
    "AfterSchoolBill",
    "AfterSchoolCollection",
    "AfterSchoolDayCheck",
    "AfterSchoolDayOff",
    "AfterSchoolDraw",
    "AfterSchoolDrawn",
    "AfterSchoolDutySlot",
    "AfterSchoolEnrolment",
    "AfterSchoolEnrolmentEvent",
    "AfterSchoolFeeCap",
    "AfterSchoolIncident",
    "AfterSchoolIntake",
    "AfterSchoolLeave",
    "AfterSchoolMonth",
    "AfterSchoolObjection",
    "AfterSchoolPayment",
    "AfterSchoolPlan",
    "AfterSchoolPoll",
    "AfterSchoolPollCount",
    "AfterSchoolPollVoter",
    "AfterSchoolPool",
    "AfterSchoolProgramme",
    "AfterSchoolSession",
    "AfterSchoolSlip",
    "AfterSchoolStatement",
    "AfterSchoolTally",
    "AfterSchoolWaived",
    "AfterSchoolWaiver",
    "AfterSchoolWaiverCategory",
    "AfterSchoolWaiverEvent",
    "AfterSchoolWaiverList",
    "AfterSchoolWaiverListed",
    "AfterSchoolWindow",
]
