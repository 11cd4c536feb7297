"""Longer words of a contact in the chat, put together from the sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from handlers.contacts.domain.forms import parted
from handlers.contacts.domain.records import ContactOutcome, Met, Topic, Way
from handlers.contacts.service.records.views import RecordView
from handlers.contacts.texts import recording as texts


def day_words(day: date, today: date) -> str:
    """A day as people speak of it."""
    near = {today: texts.TODAY, today - timedelta(days=1): texts.YESTERDAY}
    return near.get(day) or texts.DAY.format(month=day.month, day=day.day)


def due_words(due_on: date | None, today: date) -> str:
    """When a child is due, after its name; "" when nothing is asked for."""
    if due_on is None:
        return ""
    if due_on < today:
        return texts.DUE_LATE
    return texts.DUE_TODAY if due_on == today else texts.DUE_ON.format(month=due_on.month, day=due_on.day)


def met_words(met: Collection[Met]) -> str:
    """Who was met, in our order."""
    return texts.COMMA.join(words for each, words in texts.MET.items() if each in met)


def topic_words(topics: Collection[Topic]) -> str:
    """What was spoken of, in our order."""
    return texts.COMMA.join(words for each, words in texts.TOPICS.items() if each in topics)


def summary_words(name: str, filled: Mapping[str, str], today: date) -> str:
    """What was understood of one message, to be shown back."""
    is_reached = filled.get("outcome") == ContactOutcome.REACHED.value
    met = met_words([Met(each) for each in parted(filled.get("met", ""))])
    follow_up = filled.get("follow_up", "")
    if filled.get("follow_up_on"):
        follow_up += f"（{filled['follow_up_on']}）"
    return texts.SUMMARY.format(
        name=name,
        day=day_words(date.fromisoformat(filled["day"]), today),
        way=texts.WAYS[Way(filled["way"])],
        outcome=texts.REACHED.format(met=met) if is_reached else texts.FAILED,
        finding=filled.get("finding") or texts.NOTHING,
        follow_up=follow_up or texts.NOTHING,
    )


def saved_words(name: str, record: RecordView, today: date) -> str:
    """What is said when it is kept."""
    day, way = day_words(record.happened_on, today), texts.WAYS[record.way]
    if record.outcome is ContactOutcome.FAILED:
        return texts.CHAT_FAILED.format(name=name, day=day, way=way)
    topics = topic_words(record.topics)
    follow_up = ""
    if record.follow_up_on is not None:
        follow_up = texts.CHAT_FOLLOW.format(words=record.follow_up, day=day_words(record.follow_up_on, today))
    return texts.CHAT_SAVED.format(
        name=name,
        day=day,
        way=way,
        outcome=texts.REACHED.format(met=met_words(record.met)),
        topics=texts.CHAT_TOPICS.format(topics=topics) if topics else "",
        backdated=texts.CHAT_BACKDATED if record.is_backdated else "",
        follow_up=follow_up,
    )
