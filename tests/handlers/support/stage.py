"""Hand-overs with what they need beside them."""

from __future__ import annotations

from bot.clock import Clock
from bot.metrics import Metrics
from handlers.accounts.service.offices import Offices
from handlers.support.service.alarming import Alarming
from handlers.support.service.duty import DutyRoster
from handlers.support.service.hand_overs import HandOverService
from tests.handlers.alarms.stage import alarm_stage


def service_of(roster: DutyRoster, clock: Clock, metrics: Metrics) -> HandOverService:
    """Over an open database. What is urgent raises an alarm as in the product."""
    stage = alarm_stage(clock, metrics)
    return HandOverService(roster, stage.outbox, clock, Alarming(stage.alarms, Offices(clock), roster, clock))
