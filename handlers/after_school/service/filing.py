"""Whether a month's list of lessons is filed: then no lesson of it comes or goes."""

from __future__ import annotations

from uuid import UUID

from handlers.after_school.domain.months import MonthFiled, MonthMove
from handlers.after_school.models import AfterSchoolMonth


async def check_not_filed(plan_id: UUID, month: str, band: str) -> None:
    """Raises MonthFiled."""
    if await AfterSchoolMonth.exists(plan_id=plan_id, month=month, band=band, move=MonthMove.FILED):
        raise MonthFiled
