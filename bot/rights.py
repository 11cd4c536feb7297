"""Who may do what, and with whose affairs: one table, and the only code that reads it.

Every route of the chat, the API and the console names an action; every service function asks `require` before it does
anything. What is out of reach and what is not there give the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import AppError, NotFound, NotPermitted
from bot.identity import Actor, Role


class Scope(StrEnum):
    """How far a right reaches."""

    NONE = "-"
    ANY = "any"
    """It concerns nobody in particular."""
    SELF = "self"
    CHILD = "child"
    """The guardian's own children."""
    CLASS = "class"
    SCHOOL = "school"
    TOWN = "town"


# One row for each action, one column for each role. `-`: may not. A word: may, as far as the word says.
# Text, because a formatter would break the columns of anything else.
_TABLE: Final = """
action            visitor guardian teacher head_teacher duty protection_lead school_leader administrator editor reviewer
question.ask       any     any      any     any          any  any             any           any           any    any
chat.use           any     any      any     any          any  any             any           any           any    any
session.open       any     any      any     any          any  any             any           any           any    any
session.manage     self    self     self    self         self self            self          self          self   self
profile.view       self    self     self    self         self self            self          self          self   self
profile.change     self    self     self    self         self self            self          self          self   self
binding.request    self    self     self    self         self self            self          self          self   self
binding.undo       self    self     self    self         self self            self          self          self   self
identity.switch    -       self     self    self         self self            self          self          self   self
handover.answer    -       -        -       -            any  -               -             -             -      -
children.list      self    child    -       -            -    -               -             -             -      -
child.view         -       child    -       -            -    -               -             -             -      -
consent.decide     -       child    -       -            -    -               -             -             -      -
child.download     -       child    -       -            -    -               -             -             -      -
child.erase        -       child    -       -            -    -               -             -             -      -
console.enter      -       -        any     any          any  any             any           any           any    any
class.view         -       -        class   class        -    school          school        town          -      -
pupil.view         -       -        class   class        -    school          school        town          -      -
pupil.search       -       -        -       class        -    school          school        town          -      -
contact.reveal     -       -        -       class        -    school          school        town          -      -
consent.view       -       -        -       class        -    school          school        town          -      -
consent.record     -       -        -       class        -    -               school        town          -      -
reach.view         -       -        -       class        -    school          school        town          -      -
invitation.issue   -       -        -       class        -    -               school        town          -      -
binding.decide     -       -        -       class        -    -               school        town          -      -
binding.bar        -       -        -       -            -    school          -             town          -      -
pupil.edit         -       -        -       -            -    -               school        town          -      -
class.edit         -       -        -       -            -    -               school        town          -      -
class.handover     -       -        -       class        -    -               school        town          -      -
class.promote      -       -        -       -            -    -               school        town          -      -
staff.view         -       -        -       -            -    school          school        town          -      -
staff.edit         -       -        -       -            -    -               school        town          -      -
leader.appoint     -       -        -       -            -    -               -             town          -      -
school.edit        -       -        -       -            -    -               -             town          -      -
roster.import      -       -        -       -            -    -               school        town          -      -
roster.export      -       -        -       -            -    -               school        town          -      -
audit.search       -       -        -       -            -    -               -             town          -      -
retention.view     -       -        -       -            -    school          -             town          -      -
retention.run      -       -        -       -            -    -               -             -             -      -
deliveries.view    -       -        -       -            -    -               school        town          -      -
deliveries.decide  -       -        -       -            -    -               school        town          -      -
handlist.view      -       -        -       class        -    -               school        town          -      -
handlist.tick      -       -        -       class        -    -               school        town          -      -
duty.view          -       -        -       class        self school          school        town          -      -
duty.do            -       -        -       class        self school          school        town          -      -
duty.rules         -       -        -       -            -    -               -             town          -      -
alarm.view         -       -        self    self         self school          school        town          -      -
alarm.raise        -       -        class   class        any  school          school        town          -      -
alarm.answer       -       -        self    self         self school          school        town          -      -
reminder.own       self    self     self    self         self self            self          self          self   self
reminder.class     -       -        -       class        -    -               school        town          -      -
notice.open        any     any      any     any          any  any             any           any           any    any
notice.read        -       child    self    self         self self            self          self          self   self
notice.write       -       -        -       class        -    -               school        town          -      -
notice.approve     -       -        -       -            -    -               school        town          -      -
notice.report      -       -        -       class        -    -               school        town          -      -
tally.view         -       -        -       class        -    -               school        town          -      -
tally.enter        -       -        -       class        -    -               school        town          -      -
tally.sign         -       -        -       class        -    -               school        -             -      -
tally.reasons      -       -        -       class        -    -               school        -             -      -
service.sign_up   -       child    -       -            -    -               -             -             -      -
service.enter     -       -        -       class        -    -               school        town          -      -
service.look      any     any      any     any          any  any             any           any           any    any
service.plan      -       -        -       -            -    -               school        town          -      -
service.caps      -       -        -       -            -    -               -             town          -      -
service.publish   -       -        -       -            -    -               school        town          -      -
service.roster     -       -        class   class        -      school         school        town          -      -
service.attend     -       -        class   class        -      -              school        town          -      -
service.leave      -       child    -       -            -    -               -             -             -      -
service.duty       -       -        -       -            -    -               school        town          -      -
service.check      -       -        self    self         self   -               school        town          -      -
service.month      -       -        self    self         -    -               school        town          -      -
service.file       -       -        -       -            -    -               school        town          -      -
service.bill       -       child    -       -            -    -               -             -             -      -
service.settle     -       -        -       -            -    -               school        town          -      -
service.answer     -       child    -       -            -    -               -             -             -      -
service.appraise   -       -        -       -            -    -               school        town          -      -
waiver.own         -       child    -       -            -    -               -             -             -      -
waiver.file        -       -        -       class        -    -               school        town          -      -
waiver.view        -       -        -       -            -    -               school        town          -      -
waiver.decide      -       -        -       -            -    -               school        town          -      -
waiver.lists       -       -        -       -            -    -               -             town          -      -
contacts.own       -       -        self    self         self self            self          -             -      -
contacts.class     -       -        -       class        -    school          -             -             -      -
contacts.register  -       -        -       -            -    school          -             -             -      -
contacts.sealed    -       -        -       -            -    school          -             -             -      -
contacts.glass     -       -        -       class        -    -               school        -             -      -
contacts.report    -       -        self    self         self school          school        -             -      -
contacts.counts    -       -        -       -            -    school          school        town          -      -
contacts.rules     -       -        -       -            -    -               -             town          -      -
contacts.export    -       -        -       -            -    school          -             -             -      -
contacts.release   -       -        -       -            -    -               school        town          -      -
contacts.watch     -       -        -       -            -    school          school        town          -      -
contacts.refresh   -       -        -       -            -    school          -             town          -      -
contacts.word      -       -        self    class        self self            self          -             -      -
contacts.call      -       -        self    self         self self            self          -             -      -
contacts.family    -       child    -       -            -    -               -             -             -      -
check.class        -       -        -       class        -    -               school        -             -      -
check.case         -       -        -       class        -    -               school        town          -      -
check.figures      -       -        -       -            -    -               school        town          -      -
check.rules        -       -        -       -            -    -               -             town          -      -
calendar.view      -       -        any     any          any  any             any           any           any    any
calendar.edit      -       -        -       -            -    -               school        town          -      -
calendar.town      -       -        -       -            -    -               -             town          -      -
knowledge.edit     -       -        -       -            -    -               -             -             any    any
knowledge.approve  -       -        -       -            -    -               -             -             -      any
"""


class Action(StrEnum):
    """Everything somebody may or may not do; one row of the table each."""

    QUESTION_ASK = "question.ask"
    CHAT_USE = "chat.use"
    SESSION_OPEN = "session.open"
    SESSION_MANAGE = "session.manage"
    PROFILE_VIEW = "profile.view"
    PROFILE_CHANGE = "profile.change"
    BINDING_REQUEST = "binding.request"
    BINDING_UNDO = "binding.undo"
    IDENTITY_SWITCH = "identity.switch"
    HANDOVER_ANSWER = "handover.answer"
    CHILDREN_LIST = "children.list"
    CHILD_VIEW = "child.view"
    CONSENT_DECIDE = "consent.decide"
    CHILD_DOWNLOAD = "child.download"
    CHILD_ERASE = "child.erase"
    CONSOLE_ENTER = "console.enter"
    CLASS_VIEW = "class.view"
    PUPIL_VIEW = "pupil.view"
    PUPIL_SEARCH = "pupil.search"
    CONTACT_REVEAL = "contact.reveal"
    CONSENT_VIEW = "consent.view"
    CONSENT_RECORD = "consent.record"
    REACH_VIEW = "reach.view"
    INVITATION_ISSUE = "invitation.issue"
    BINDING_DECIDE = "binding.decide"
    BINDING_BAR = "binding.bar"
    PUPIL_EDIT = "pupil.edit"
    CLASS_EDIT = "class.edit"
    CLASS_HANDOVER = "class.handover"
    CLASS_PROMOTE = "class.promote"
    STAFF_VIEW = "staff.view"
    STAFF_EDIT = "staff.edit"
    LEADER_APPOINT = "leader.appoint"
    SCHOOL_EDIT = "school.edit"
    ROSTER_IMPORT = "roster.import"
    ROSTER_EXPORT = "roster.export"
    AUDIT_SEARCH = "audit.search"
    RETENTION_VIEW = "retention.view"
    RETENTION_RUN = "retention.run"
    DELIVERIES_VIEW = "deliveries.view"
    DELIVERIES_DECIDE = "deliveries.decide"
    HANDLIST_VIEW = "handlist.view"
    HANDLIST_TICK = "handlist.tick"
    DUTY_VIEW = "duty.view"
    DUTY_DO = "duty.do"
    DUTY_RULES = "duty.rules"
    ALARM_VIEW = "alarm.view"
    ALARM_RAISE = "alarm.raise"
    ALARM_ANSWER = "alarm.answer"
    REMINDER_OWN = "reminder.own"
    REMINDER_CLASS = "reminder.class"
    NOTICE_OPEN = "notice.open"
    NOTICE_READ = "notice.read"
    NOTICE_WRITE = "notice.write"
    NOTICE_APPROVE = "notice.approve"
    NOTICE_REPORT = "notice.report"
    TALLY_VIEW = "tally.view"
    TALLY_ENTER = "tally.enter"
    TALLY_SIGN = "tally.sign"
    TALLY_REASONS = "tally.reasons"
    SERVICE_SIGN_UP = "service.sign_up"
    SERVICE_ENTER = "service.enter"
    SERVICE_LOOK = "service.look"
    SERVICE_PLAN = "service.plan"
    SERVICE_CAPS = "service.caps"
    SERVICE_PUBLISH = "service.publish"
    SERVICE_ROSTER = "service.roster"
    SERVICE_ATTEND = "service.attend"
    SERVICE_LEAVE = "service.leave"
    SERVICE_DUTY = "service.duty"
    SERVICE_CHECK = "service.check"
    SERVICE_MONTH = "service.month"
    SERVICE_FILE = "service.file"
    SERVICE_BILL = "service.bill"
    SERVICE_SETTLE = "service.settle"
    SERVICE_ANSWER = "service.answer"
    SERVICE_APPRAISE = "service.appraise"
    WAIVER_OWN = "waiver.own"
    WAIVER_FILE = "waiver.file"
    WAIVER_VIEW = "waiver.view"
    WAIVER_DECIDE = "waiver.decide"
    WAIVER_LISTS = "waiver.lists"
    CONTACTS_OWN = "contacts.own"
    CONTACTS_CLASS = "contacts.class"
    CONTACTS_REGISTER = "contacts.register"
    CONTACTS_SEALED = "contacts.sealed"
    CONTACTS_GLASS = "contacts.glass"
    CONTACTS_REPORT = "contacts.report"
    CONTACTS_COUNTS = "contacts.counts"
    CONTACTS_RULES = "contacts.rules"
    CONTACTS_EXPORT = "contacts.export"
    CONTACTS_RELEASE = "contacts.release"
    CONTACTS_WATCH = "contacts.watch"
    CONTACTS_REFRESH = "contacts.refresh"
    CONTACTS_WORD = "contacts.word"
    CONTACTS_CALL = "contacts.call"
    CONTACTS_FAMILY = "contacts.family"
    CHECK_CLASS = "check.class"
    CHECK_CASE = "check.case"
    CHECK_FIGURES = "check.figures"
    CHECK_RULES = "check.rules"
    CALENDAR_VIEW = "calendar.view"
    CALENDAR_EDIT = "calendar.edit"
    CALENDAR_TOWN = "calendar.town"
    KNOWLEDGE_EDIT = "knowledge.edit"
    KNOWLEDGE_APPROVE = "knowledge.approve"


def _read(table: str) -> Mapping[Action, Mapping[Role, Scope]]:
    head, *lines = (line.split() for line in table.strip().splitlines())
    roles = [Role(name) for name in head[1:]]
    return {Action(name): dict(zip(roles, map(Scope, scopes), strict=True)) for name, *scopes in lines}


RIGHTS: Final[Mapping[Action, Mapping[Role, Scope]]] = _read(_TABLE)


# What of a grant a scope reaches.
_KINDS: Final[Mapping[Scope, str]] = {
    Scope.CHILD: "children",
    Scope.CLASS: "classes",
    Scope.SCHOOL: "schools",
    Scope.TOWN: "townships",
}
_NOBODY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose affair something is, as ids: all that is known. A child brings its class, school and township too."""

    person_id: str | None = None
    child_id: str | None = None
    class_id: str | None = None
    school_id: str | None = None
    township_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything an actor may do one thing with, over all their roles: what a scoped query filters by."""

    is_any: bool = False
    person_id: str | None = None
    children: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()
    townships: frozenset[str] = frozenset()

    def covers(self, subject: Subject) -> bool:
        """Whether the subject is within reach."""
        return (
            self.is_any
            or (subject.person_id is not None and subject.person_id == self.person_id)
            or subject.child_id in self.children
            or subject.class_id in self.classes
            or subject.school_id in self.schools
            or subject.township_id in self.townships
        )


@dataclass(frozen=True, slots=True)
class Denial:
    """Who was refused what: kept with the error, so that the edge can write it down after the rollback."""

    actor: Actor
    action: Action
    subject: Subject | None


def roles_for(action: Action) -> frozenset[Role]:
    """The roles that have the right at all, however far."""
    return frozenset(role for role, scope in RIGHTS[action].items() if scope is not Scope.NONE)


def reach_of(actor: Actor, action: Action) -> Reach:
    """How far the actor may go with an action. Raises NotPermitted when none of their roles has the right."""
    row = RIGHTS[action]
    if actor.has(Role.SYSTEM):
        return Reach(is_any=True)
    scopes = {row[role] for role in actor.roles if role in row} - {Scope.NONE}
    if not scopes:
        raise refusal(NotPermitted(), actor, action, None)

    reached: dict[Scope, frozenset[str]] = {}
    for grant in actor.grants:
        scope = row.get(grant.role, Scope.NONE)
        if scope in _KINDS:
            ids: frozenset[str] = getattr(grant, _KINDS[scope])
            reached[scope] = reached[scope] | ids if scope in reached else ids
    return Reach(
        Scope.ANY in scopes,
        actor.person_id if Scope.SELF in scopes else None,
        reached.get(Scope.CHILD, _NOBODY),
        reached.get(Scope.CLASS, _NOBODY),
        reached.get(Scope.SCHOOL, _NOBODY),
        reached.get(Scope.TOWN, _NOBODY),
    )


def may(actor: Actor, action: Action, subject: Subject | None = None) -> bool:
    """Whether the actor may do it: with the subject, or at all when none is given."""
    try:
        reach = reach_of(actor, action)
    except NotPermitted:
        return False
    return subject is None or reach.covers(subject)


def require(actor: Actor, action: Action, subject: Subject | None = None) -> Reach:
    """The reach of the actor. Raises NotPermitted without the right at all, NotFound when the subject is out of reach:
    nobody learns of what is not theirs."""
    reach = reach_of(actor, action)
    if subject is not None and not reach.covers(subject):
        raise refusal(NotFound(), actor, action, subject)
    return reach


def refusal(error: AppError, actor: Actor, action: Action, subject: Subject | None) -> AppError:
    """The error, carrying who was refused what, for the audit."""
    error.denial = Denial(actor, action, subject)
    return error
