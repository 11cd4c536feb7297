"""Tables of the after-school service, by what they are about."""

from __future__ import annotations

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
from handlers.after_school.models.waivers import (
    AfterSchoolWaived,
    AfterSchoolWaiver,
    AfterSchoolWaiverCategory,
    AfterSchoolWaiverEvent,
    AfterSchoolWaiverList,
    AfterSchoolWaiverListed,
)

__all__ = [
    "AfterSchoolDayOff",
    "AfterSchoolDraw",
    "AfterSchoolDrawn",
    "AfterSchoolEnrolment",
    "AfterSchoolEnrolmentEvent",
    "AfterSchoolFeeCap",
    "AfterSchoolPlan",
    "AfterSchoolPool",
    "AfterSchoolProgramme",
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
