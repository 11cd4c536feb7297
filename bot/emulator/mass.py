"""Mass messages of one account: who has had how many this month, and which job was taken under which id."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bot.clock import Clock, local_date
from bot.emulator.faults import ApiRefusal
from bot.emulator.rules import Rules

TO_ALL_A_MONTH: Final = 4
TO_ALL_A_DAY: Final = 1


@dataclass(slots=True)
class MassJob:
    """One mass message. `status` as mass/get tells it."""

    message_id: str
    client_id: str
    at: datetime
    status: str = "SEND_SUCCESS"


class MassJobs:
    """The counts begin anew with each month, Beijing time."""

    def __init__(self, clock: Clock, rules: Rules) -> None:
        self._clock = clock
        self._rules = rules
        self._jobs: dict[str, MassJob] = {}
        self._had: Counter[tuple[str, int, int]] = Counter()
        self._to_all: list[date] = []

    def check_new(self, client_id: str) -> None:
        """Raises ApiRefusal 45065, with the id of the message, when a recent one was taken under this id."""
        since = self._clock.now() - self._rules.mass_duplicate_window
        for job in self._jobs.values():
            if job.client_id == client_id and job.at > since:
                raise ApiRefusal(45065, msg_id=int(job.message_id))

    def count_to_all(self) -> None:
        """One message more to all followers. Raises ApiRefusal 45028 over one a day or four a month."""
        today = local_date(self._clock.now())
        month = [day for day in self._to_all if (day.year, day.month) == (today.year, today.month)]
        if month.count(today) >= TO_ALL_A_DAY or len(month) >= TO_ALL_A_MONTH:
            raise ApiRefusal(45028)
        self._to_all.append(today)

    def take(self, message_id: str, client_id: str) -> MassJob:
        """A message is taken."""
        job = self._jobs[message_id] = MassJob(message_id, client_id, self._clock.now())
        return job

    def job(self, message_id: object) -> MassJob:
        """Raises ApiRefusal 40097 for an id that was never given."""
        if str(message_id) not in self._jobs:
            raise ApiRefusal(40097)
        return self._jobs[str(message_id)]

    def had(self, openid: str) -> int:
        """How many mass messages the person has had this month."""
        return self._had[self._month_of(openid)]

    def may_have(self, openid: str) -> bool:
        """Whether one more may reach the person this month."""
        return self.had(openid) < self._rules.mass_messages_a_month

    def count(self, openid: str) -> None:
        """The person has got one more."""
        self._had[self._month_of(openid)] += 1

    def _month_of(self, openid: str) -> tuple[str, int, int]:
        today = local_date(self._clock.now())
        return openid, today.year, today.month
