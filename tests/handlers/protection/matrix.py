"""Who may see which protected field of a child: written by hand, field by field and role by role.

`y`: may, and some page shows it. `.`: may, and no page shows it. `-`: may not. A column is what somebody is to the
child, so one person stands in one column for this child and in another for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.identity import Role

COLUMNS: Final[Mapping[str, tuple[Role, str]]] = {
    "visitor": (Role.VISITOR, "somebody bound to nobody"),
    "family": (Role.GUARDIAN, "who looks after the child"),
    "stranger": (Role.GUARDIAN, "who looks after another child, of the same class or of another school"),
    "author": (Role.TEACHER, "paired with the child; wrote the records, the draft and the reports"),
    "keeper": (Role.TEACHER, "paired with the child too"),
    "former": (Role.TEACHER, "was paired with the child and wrote about it; on the staff still"),
    "mate": (Role.TEACHER, "teaches the class of the child"),
    "away": (Role.TEACHER, "of another school; the row of a pair was left behind"),
    "head": (Role.HEAD_TEACHER, "of the class of the child"),
    "head_far": (Role.HEAD_TEACHER, "of another class, of the same school or of another"),
    "opener": (Role.HEAD_TEACHER, "of the class of the child, who looks past their own for two hours"),
    "duty": (Role.DUTY, "at the school of the child"),
    "duty_far": (Role.DUTY, "at another"),
    "lead": (Role.PROTECTION_LEAD, "at the school of the child"),
    "lead_far": (Role.PROTECTION_LEAD, "at another"),
    "leader": (Role.SCHOOL_LEADER, "of the school of the child"),
    "leader_far": (Role.SCHOOL_LEADER, "of another"),
    "admin": (Role.ADMINISTRATOR, "of the township of the child"),
    "admin_far": (Role.ADMINISTRATOR, "of another"),
    "editor": (Role.EDITOR, "of the knowledge"),
    "reviewer": (Role.REVIEWER, "of the knowledge"),
}

# visitor family stranger | author keeper former mate away | head head_far opener | duty duty_far | lead lead_far |
# leader leader_far | admin admin_far | editor reviewer
_TABLE: Final = """
file.pupil_id              - - -  y y - - -  y - y  - -  y -  y -  - -  - -
file.care_group            - - -  - - - - -  - - y  - -  y -  - -  - -  - -
file.care_group:open       - - -  - - - - -  y - y  - -  y -  - -  - -  - -
file.reason                - - -  - - - - -  - - y  - -  y -  - -  - -  - -
file.reason_words          - - -  - - - - -  - - y  - -  y -  - -  - -  - -
file.end_reason            - - -  - - - - -  - - y  - -  y -  - -  - -  - -
level.level                - - -  . . - - -  . - y  - -  y -  - -  - -  - -
level.reason               - - -  - - - - -  - - y  - -  y -  - -  - -  - -
fact.child.address         - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.child.phone           - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.child.health          - - -  - - - - -  - - y  - -  y -  - -  - -  - -
fact.parent_1.name         - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_1.relation     - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_1.phone        - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_1.workplace    - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_1.employer     - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_1.last_home    - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.name         - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.relation     - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.phone        - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.workplace    - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.employer     - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.parent_2.last_home    - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.name            - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.relation        - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.phone           - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.address         - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.entrustment     - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.carer.age             - - -  - - - - -  - - y  - -  y -  - -  - -  - -
fact.carer.health          - - -  - - - - -  - - y  - -  y -  - -  - -  - -
fact.carer.barred          - - -  - - - - -  - - y  - -  y -  - -  - -  - -
fact.village.name          - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.village.phone         - - -  y y - - -  y - y  - -  y -  - -  - -  - -
fact.older                 - - -  . . - - -  . - .  - -  . -  - -  - -  - -
check.age_ok               - - -  - - - - -  - - y  - -  y -  - -  - -  - -
check.health_ok            - - -  - - - - -  - - y  - -  y -  - -  - -  - -
check.no_barred_ground     - - -  - - - - -  - - y  - -  y -  - -  - -  - -
check.file_id              - - -  - - - - -  - - y  - -  y -  - -  - -  - -
record.finding             - - -  y - - - -  - - y  - -  y -  - -  - -  - -
record.sealed_part         - - -  - - - - -  - - y  - -  y -  - -  - -  - -
record.follow_up           - - -  y y - - -  y - y  - -  y -  - -  - -  - -
record.photo_id            - - -  y - - - -  - - y  - -  y -  - -  - -  - -
record.voice_id            - - -  y - - - -  - - y  - -  y -  - -  - -  - -
record:former.finding      - - -  - - - - -  - - y  - -  y -  - -  - -  - -
draft.body                 - - -  y - - - -  - - -  - -  - -  - -  - -  - -
report:open.triggers       - - -  y - - - -  - - -  - -  y -  y -  - -  - -
report:open.words          - - -  y - - - -  - - -  - -  y -  y -  - -  - -
report:open.calls          - - -  y - - - -  - - -  - -  y -  y -  - -  - -
report:closed.triggers     - - -  - - - - -  - - -  - -  y -  y -  - -  - -
report:closed.words        - - -  - - - - -  - - -  - -  y -  y -  - -  - -
report:closed.calls        - - -  - - - - -  - - -  - -  y -  y -  - -  - -
report:closed.closing      - - -  - - - - -  - - -  - -  y -  y -  - -  - -
glass.reason               - - -  - - - - -  - - .  - -  y -  - -  - -  - -
export.purpose             - - -  - - - - -  - - -  - -  y -  y -  y -  - -
export.refusal             - - -  - - - - -  - - -  - -  y -  y -  y -  - -
print.purpose              - - -  - - - - -  - - -  - -  y -  - -  - -  - -
word.words                 - y -  . . - - -  . - .  - -  . -  - -  - -  - -
absence.where_to           - - -  - - - - -  y - y  - -  - -  y -  y -  - -
absence.known_by           - - -  - - - - -  y - y  - -  - -  y -  y -  - -
absence.outcome            - - -  - - - - -  y - y  - -  - -  y -  y -  - -
absence.proof              - - -  - - - - -  y - y  - -  - -  y -  y -  - -
step.words                 - - -  - - - - -  y - y  - -  - -  y -  y -  - -
"""


def _read(table: str) -> dict[str, dict[str, str]]:
    lines = [line.split() for line in table.strip().splitlines()]
    return {name: dict(zip(COLUMNS, cells, strict=True)) for name, *cells in lines}


MATRIX: Final[Mapping[str, Mapping[str, str]]] = _read(_TABLE)
"""By field, then by column: `y`, `.` or `-`."""


def may_see(name: str, column: str) -> bool:
    """Whether somebody who is that to a child may see the field of it."""
    return MATRIX[name][column] != "-"


# A table's encrypted column, or a label, by the name of its rows here. What has several rows is planted more than once.
OF_TABLE: Final[Mapping[str, str]] = {
    "contacts_file": "file",
    "contacts_level": "level",
    "contacts_fact": "fact",
    "contacts_check": "check",
    "contacts_record": "record",
    "contacts_draft": "draft",
    "contacts_report": "report",
    "contacts_glass": "glass",
    "contacts_export": "export",
    "contacts_print": "print",
    "contacts_word": "word",
    "term_check_absence": "absence",
    "term_check_step": "step",
}
# Labels and files, which are no encrypted columns.
IN_CLEAR: Final = frozenset(
    {"file.pupil_id", "level.level", "check.file_id", "record.photo_id", "record.voice_id", "absence.proof"}
)
