"""Words that go before everything: a child in danger, a wish for a person, other people's data, cheating.

Patterns are in `lexicon/safety.tsv`. A question about rules (怎么防欺凌, 辍学率) must not set them off: what is looked for
is somebody telling what happens, not somebody asking what is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from knowledge.normalise import normalise
from knowledge.words import LexiconFault, rows


class Alarm(StrEnum):
    """What was recognised."""

    SELF_HARM = "self_harm"
    ABUSE = "abuse"
    SEXUAL = "sexual"
    BULLYING = "bullying"
    MISSING = "missing"
    NEGLECT = "neglect"
    LABOUR = "labour"
    MEDICAL = "medical"
    COMPLAINT = "complaint"
    PERSON = "person"
    OTHERS_DATA = "others_data"
    OWN_SCORE = "own_score"
    CHEATING = "cheating"


DANGER = frozenset(
    {
        Alarm.SELF_HARM,
        Alarm.ABUSE,
        Alarm.SEXUAL,
        Alarm.BULLYING,
        Alarm.MISSING,
        Alarm.NEGLECT,
        Alarm.LABOUR,
        Alarm.MEDICAL,
    }
)
"""A child may be in danger: answered at once in every dialogue step, and logged for the duty owner."""

_POLICY = re.compile(
    r"制度|预案|方案|措施|规定|怎么防|如何防|防止|预防|教育活动|专项|治理|台账|要求|文件|职责|领导小组|排查|演练|课程|讲座|宣传|有没有.{0,6}(课|活动|教育)"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """Recognises alarms. Immutable."""

    patterns: tuple[tuple[Alarm, re.Pattern[str]], ...]

    @classmethod
    def load(cls) -> Guard:
        """The shipped patterns.

        Raises:
            LexiconFault: the table has an unknown kind or a bad pattern.
        """
        found = []
        for number, cells in rows("safety.tsv"):
            try:
                found.append((Alarm(cells[0]), re.compile("|".join(cells[1].split()))))
            except (ValueError, IndexError, re.error) as error:
                raise LexiconFault(f"safety.tsv:{number}: {error}") from error
        return cls(tuple(found))

    def alarm(self, text: str) -> Alarm | None:
        """The first alarm in `text` as typed, in the order of the table; `None` for an ordinary message."""
        plain = normalise(text)
        for alarm, pattern in self.patterns:
            if pattern.search(plain) and not (alarm in DANGER and _asks_rules(alarm, plain)):
                return alarm
        return None

    def danger(self, text: str) -> Alarm | None:
        """The alarm if it means a child in danger."""
        alarm = self.alarm(text)
        return alarm if alarm in DANGER else None


def _asks_rules(alarm: Alarm, text: str) -> bool:
    # a hint of self-harm is never explained away by a policy word standing beside it
    return alarm is not Alarm.SELF_HARM and bool(_POLICY.search(text))
