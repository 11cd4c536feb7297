"""A rehearsal on paper: what goes out at each moment by which rule, how many it reaches which way, and who is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from bot.rehearsal import texts
from bot.rehearsal.lines import Line, Part
from handlers.duties.texts import SHIPPED

_WEEKDAYS: Final = "一二三四五六日"
_LONGEST_TEXT: Final = 48
_MOST_NAMED: Final = 10
_SENT: Final = "sent"


def rule_in_words(part: Part) -> str:
    """By which rule a promise was made."""
    if part.reason.startswith("duties:"):
        title = SHIPPED[part.rule][0] if part.rule in SHIPPED else texts.RULES.get(part.rule, part.rule)
        return texts.DUTY.format(title=title, occasion=texts.REASONS.get(part.reason, part.reason))
    if part.rule in texts.RULES:
        return texts.RULES[part.rule]
    reason = texts.REASONS.get(part.reason, part.reason)
    _, dot, lead = part.rule.rpartition(".")
    if not dot:
        return reason
    words = texts.LEAD.format(number=lead) if lead.isdigit() and lead != "0" else texts.LEADS.get(lead, lead)
    return texts.WITH_LEAD.format(reason=reason, lead=words)


def rules_in_words(line: Line) -> str:
    """Of all that goes out in one message."""
    rules = list(dict.fromkeys(map(rule_in_words, line.parts)))
    joined = texts.JOINT.join(rules) or line.rule
    return texts.TOGETHER.format(rules=joined) if len(rules) > 1 else joined


def moment_in_words(at: str) -> str:
    """9月14日（周一）18:00."""
    moment = datetime.fromisoformat(at)
    weekday = _WEEKDAYS[moment.weekday()]
    return texts.MOMENT.format(month=moment.month, day=moment.day, weekday=weekday, at=f"{moment:%H:%M}")


def whom(line: Line) -> str:
    """In words; a follower the records do not know has no name."""
    return line.whom or texts.FOLLOWER


def way(line: Line) -> str:
    """Which way it goes, or why it does not."""
    if line.status == _SENT:
        return texts.CHANNELS.get(line.channel, line.channel)
    return texts.STATUSES.get(line.status, line.status)


def each_in_words(line: Line) -> str:
    """One message on one line."""
    return "  ".join([moment_in_words(line.at), rules_in_words(line), whom(line), way(line), short(line.text)])


def short(text: str | None) -> str:
    """The beginning of the words, on one line."""
    plain = " ".join((text or "").split())
    return plain if len(plain) <= _LONGEST_TEXT else f"{plain[:_LONGEST_TEXT]}…"


def moment_on_paper(lines: Sequence[Line]) -> Iterator[str]:
    """What goes out at one moment: rule by rule, with an example, and by name who is not reached."""
    yield moment_in_words(lines[0].at)
    for rules, group in groupby(sorted(lines, key=rules_in_words), rules_in_words):
        own = list(group)
        ways = Counter(way(line) for line in own)
        counts = texts.JOINT.join(texts.COUNT.format(way=name, count=count) for name, count in ways.most_common())
        yield texts.GROUP.format(rules=rules, counts=counts)
        yield texts.EXAMPLE.format(text=short(own[0].text))
        left = [line for line in own if line.status != _SENT]
        for status, some in groupby(sorted(left, key=way), way):
            yield texts.UNREACHED.format(status=status, people=_named([whom(line) for line in some]))


def _named(people: Iterable[str]) -> str:
    every = list(dict.fromkeys(people))
    named = texts.JOINT.join(every[:_MOST_NAMED])
    return named if len(every) <= _MOST_NAMED else texts.AND_MORE.format(people=named, count=len(every))


def summary(statuses: Mapping[str, int], left: int = 0) -> str:
    """How many of each; `left`: how many people were not reached."""
    total = sum(statuses.values())
    if not total:
        return texts.NOTHING
    parts = [f"{texts.STATUSES.get(status, status)} {count} 条" for status, count in sorted(statuses.items())]
    whole = texts.SUMMARY.format(total=total, parts="；".join(parts))
    return f"{whole}\n{texts.UNREACHED_PEOPLE.format(count=left)}" if left else whole
