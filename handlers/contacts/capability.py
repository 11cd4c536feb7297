"""The contact with families, put together."""

from __future__ import annotations

from datetime import time
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery, merged
from bot.scheduler.jobs import Daily, Job
from handlers.contacts.service.building import core_over

_SWEEPING: Final = Daily(time(0, 40))


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    return merged([_core(machinery)])


def _core(machinery: Machinery) -> EntryPoints:
    """Register, pairs, cards, records."""
    core = core_over(machinery)
    services = (core.reaching, core.levels, core.register, core.pairing, core.cards, core.fitness)
    machinery.services.add(*services, core.records, core.drafts)
    return EntryPoints(
        todos=(core.register, core.pairing, core.cards),
        duties=(core.pairing,),
        jobs=(Job("contacts.sweep", _SWEEPING, core.pairing.sweep),),
    )


CONTACTS = Capability(name="contacts", build=build)
