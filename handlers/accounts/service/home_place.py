"""Where the school of a follower's children lies: what answers are given for, until they say another place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.dialogue.ports import KNOWN, SCHOOL_PLACE
from handlers.accounts.models import WeChatIdentity

# Whoever is, or was, barred from a child learns nothing of its school.
_STATEMENT: Final = """
SELECT DISTINCT s.place AS place
  FROM accounts_identity i
  LEFT JOIN accounts_guardianship g ON g.person_id = i.person_id AND g.bound_at IS NOT NULL AND g.ended_on IS NULL
   AND NOT EXISTS (SELECT 1 FROM accounts_bar x WHERE x.pupil_id = g.pupil_id AND x.person_id = g.person_id)
  LEFT JOIN accounts_pupil p ON p.id = g.pupil_id
  LEFT JOIN accounts_school s ON s.id = p.school_id
 WHERE i.openid_index = {index}
"""


async def chat_profile(openid_index: str) -> Mapping[str, str]:
    """`KNOWN` for whom the records know, and `SCHOOL_PLACE` when their children's schools all lie in the same place; {}
    for a stranger. One statement: strangers, who are most of those who ask, cost one look and no more."""
    connection = WeChatIdentity._meta.db
    index = "$1" if connection.capabilities.dialect == "postgres" else "?"
    rows = await connection.execute_query_dict(_STATEMENT.format(index=index), [openid_index])
    if not rows:
        return {}
    places = {row["place"] for row in rows if row["place"]}
    return {KNOWN: "1", SCHOOL_PLACE: places.pop()} if len(places) == 1 else {KNOWN: "1"}
