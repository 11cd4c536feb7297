"""The chat's table of errors: which sentence a person reads for which kind of fault."""

from __future__ import annotations

from bot.dialogue import texts
from bot.errors import AppError, Conflict, InvalidInput, LimitReached, NotFound, NotPermitted, Unavailable
from bot.storage.errors import LockBusy

# None: the fault's own message, which is written for the person. The first kind that fits counts.
_TABLE: tuple[tuple[type[AppError], str | None], ...] = (
    (LockBusy, texts.STILL_WORKING),
    (InvalidInput, None),
    (Conflict, None),
    (LimitReached, None),
    (NotFound, texts.NOT_FOUND),
    (NotPermitted, texts.NOT_PERMITTED),
    (Unavailable, texts.BUSY),
)


def sentence_for(error: AppError) -> str:
    """What to say. A fault with a message of its own, other than its kind's, is told by that."""
    for kind, sentence in _TABLE:
        if isinstance(error, kind):
            return error.message if sentence is None or error.message != kind.default_message else sentence
    return texts.BUSY
