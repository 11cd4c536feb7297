"""The words with which the whole file of a child is shown, on a page and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.contacts.texts import cards, recording, register, reports


def whole_words() -> Mapping[str, Any]:
    """For the piece of a page that shows it."""
    return {
        "groups": register.GROUPS,
        "reasons": register.REASONS,
        "levels": register.LEVELS,
        "tags": register.LEVEL_TAGS,
        "holders": cards.HOLDERS,
        "kinds": cards.KINDS,
        "sources": cards.SOURCES,
        "fitness": cards.FITNESS,
        "ways": recording.WAYS,
        "outcomes": recording.OUTCOMES,
        "met": recording.MET,
        "topics": recording.TOPICS,
        "backdated": recording.BACKDATED,
        "triggers": reports.TRIGGERS,
        "called": reports.CALLED,
        "states": reports.STATES,
    }
