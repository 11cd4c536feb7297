"""What may not be when children and staff are paired."""

from __future__ import annotations

from typing import Final

from bot.errors import Conflict, InvalidInput

MOST_KEEPERS: Final = 3
"""A child is somebody's own care, not everybody's."""


class AlreadyPaired(Conflict):
    """They are paired already."""

    code = "contacts_already_paired"
    default_message = "这位老师已经负责联系这位同学，不用再安排，请刷新看看。"


class TooManyKeepers(Conflict):
    """The child has as many as it may have."""

    code = "contacts_too_many_keepers"
    default_message = f"一位同学最多由{MOST_KEEPERS}位老师联系。请先结束一位，再安排新的。"


class NotAColleague(InvalidInput):
    """Who is to keep contact is not on the staff of the child's school."""

    code = "contacts_not_a_colleague"
    default_message = "只能安排在本校任职的老师，请在名单里重新选一位。"


class PairEnded(Conflict):
    """It was ended meanwhile."""

    code = "contacts_pair_ended"
    default_message = "这项安排已经结束，请刷新看最新的情况。"
