"""Everything of offers that somebody can open, as one."""

from __future__ import annotations

from bot.capability import EntryPoints, Machinery
from handlers.accounts.service.structure import StructureService
from handlers.after_school.admin.drawing import DrawPages
from handlers.after_school.admin.fees import FeePages
from handlers.after_school.admin.letters import LetterPages
from handlers.after_school.admin.plans import PlanPages
from handlers.after_school.admin.programmes import ProgrammePages
from handlers.after_school.admin.times import TimePages
from handlers.after_school.service.drawing.holding import DrawingService
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.service.offering.building import offering_over
from handlers.after_school.service.offers import OffersService


def offering_points(machinery: Machinery) -> EntryPoints:
    """Over the services of signing up, which are built before."""
    get, built = machinery.services.get, offering_over(machinery)
    machinery.services.add(built.drafting, built.reviewing, built.letters)
    offers = get(OffersService)
    plans = PlanPages(
        offers,
        built.drafting,
        built.reviewing,
        get(StructureService),
        public_url=machinery.settings.server.public_url,
    )
    programmes = ProgrammePages(built.drafting, built.reviewing, get(LeavingService))
    times, fees = TimePages(built.drafting, built.notices), FeePages(offers, built.reviewing)
    draws = DrawPages(built.drafting, get(DrawReading), get(DrawingService))
    letters = LetterPages(built.letters, machinery.settings.server.public_url)
    return EntryPoints(
        admin=(
            *plans.routes(),
            *programmes.routes(),
            *times.routes(),
            *fees.routes(),
            *letters.routes(),
            *draws.routes(),
        ),
        public=fees.public(),
        audiences=(built.audiences,),
    )
