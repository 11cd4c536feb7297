"""Plants a value of its own into every protected field of a child."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from bot.storage.database import transaction
from bot.storage.files import FileStore, Owner
from handlers.contacts.domain.card import _DATED as DATED
from handlers.contacts.domain.card import OF_HOLDER, FactKind, FactSource, Fitness
from handlers.contacts.domain.exports import ExportState, TakenFor
from handlers.contacts.domain.family import CallState
from handlers.contacts.domain.glass import Ground
from handlers.contacts.domain.records import ContactOutcome, ReportState, Way
from handlers.contacts.domain.register import Group, Level, Reason, Stage
from handlers.contacts.domain.reports import Call, Called, stored_calls, stored_triggers
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import (
    ContactsCall,
    ContactsCheck,
    ContactsDraft,
    ContactsDue,
    ContactsExport,
    ContactsFact,
    ContactsFile,
    ContactsGlass,
    ContactsLevel,
    ContactsPair,
    ContactsPrint,
    ContactsRecord,
    ContactsRefresh,
    ContactsReport,
    ContactsRule,
    ContactsWord,
)
from handlers.contacts.service.cards.fitness import PAPER
from handlers.contacts.service.pairing.rows import pair_key
from handlers.contacts.service.records.files import FILES
from handlers.contacts.service.register.entering import file_key
from handlers.contacts.texts.cards import FITNESS
from handlers.contacts.texts.register import GROUPS, LEVELS, REASONS
from handlers.contacts.texts.reports import TRIGGERS
from handlers.term_check.domain.cases import CaseState, KnownBy, StepKind
from handlers.term_check.domain.cases import Stage as CaseStage
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckRound, TermCheckStep
from handlers.term_check.service.rows import proofs_of
from handlers.term_check.texts import SOURCES
from tests import factories
from tests.handlers.protection.village import FAR, NEAR, NOW, TERM, Place, Village

TODAY: Final = NOW.date()
_MOMENTS: Final[dict[str, Any]] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
_WEEK: Final = timedelta(days=7)
_SOON: Final = TODAY + timedelta(days=200)
# What the two children do not share, so that a word says of whom it is.
_KINDS: Final = {
    NEAR: (Group.LEFT_BEHIND, Group.LEARNING, Reason.BOTH_AWAY, Level.RED, Trigger.VIOLENCE, Trigger.MISSING),
    FAR: (Group.SINGLE_PARENT, Group.BEHAVIOUR, Reason.ONE_AWAY_OTHER_UNABLE, Level.YELLOW, Trigger.ALONE,
          Trigger.UNFIT),
}  # fmt: skip
_AUTHORS: Final = {NEAR: "author", FAR: "away"}
_LEADS: Final = {NEAR: "lead", FAR: "lead_far"}


class Planting:
    """One child, all its fields."""

    def __init__(self, village: Village, child: str) -> None:
        self._village = village
        self._ledger = village.ledger
        self._child = child
        self._pupil = village.children[child]
        self._place: Place = village.home if child == NEAR else village.far
        self._author: UUID = village.person_id(_AUTHORS[child])
        self._lead: UUID = village.person_id(_LEADS[child])
        self._files = FileStore(village.town.clock)
        self._own: dict[str, Any] = {"pupil_id": self._pupil.id, **_MOMENTS}

    async def plant(self) -> None:
        """Everything."""
        await self._register()
        await self._pairs()
        await self._card()
        await self._records()
        await self._reports()
        await self._looking()
        await self._check()
        await self._family()

    def _text(self, name: str, text: str = "") -> str:
        return self._ledger.text(name, self._child, text)

    def _thing(self, parameter: str, own: object) -> None:
        self._village.thing(parameter, self._child, own)

    def _phrase(self, name: str, pattern: str) -> None:
        self._ledger.phrase(name, self._child, pattern)

    # -------------------------------------------------------------------------------------------------------- register
    async def _register(self) -> None:
        secret, known, reason, level, *_ = _KINDS[self._child]
        at: dict[str, Any] = {"school_id": self._place.school.id, "township_id": self._place.township.id}
        decided: dict[str, Any] = {"decided_by": self._lead, "decided_at": NOW, "review_on": _SOON, "since": TODAY}
        for name, group in (("file.care_group", secret), ("file.care_group:open", known)):
            self._phrase(name, f"{GROUPS[group]}|\\b{group.value}\\b" if "_" in group.value else GROUPS[group])
            row = await ContactsFile.create(
                **self._own, **at, **decided, care_group=group.value, reason=reason.value,
                reason_words=self._text("file.reason_words", "在外地打工"),
                active_key=file_key(self._pupil.id, group),
            )  # fmt: skip
            self._thing("files/{care_file}", row.id)
        await ContactsFile.create(
            **self._own, **at, **decided, care_group=group.value, reason=reason.value, ended_on=TODAY,
            ended_by=self._lead, end_reason=self._text("file.end_reason", "已经好转"),
        )  # fmt: skip
        self._phrase("file.reason", f"{REASONS[reason]}|\\b{reason.value}\\b")
        self._phrase("level.level", f"(?:tag[^>]*>|<t[^>]*>|定为“|级别</dt><dd>){LEVELS[level]}")
        await ContactsLevel.create(
            **self._own, level=level, reason=self._text("level.reason", "奶奶年纪大"), set_by=self._lead, set_at=NOW,
            review_on=_SOON,
        )  # fmt: skip
        rule, _ = await ContactsRule.get_or_create(
            township_id=self._place.township.id, since=factories.FIRST_DAY,
            defaults={
                "cadence": {each.value: {"contact_days": 5, "visit_days": None} for each in Level},
                "teacher_grace": 0, "lead_after": 1, "leader_after": 2, "daily_cap": 3, "clause": "镇教〔2026〕3号",
                **_MOMENTS,
            },
        )  # fmt: skip
        await ContactsDue.create(
            **self._own, school_id=self._place.school.id, due_on=factories.FIRST_DAY,
            counted_from=factories.FIRST_DAY, rule_id=rule.id, level=level, stage=Stage.NONE,
        )  # fmt: skip

    async def _pairs(self) -> None:
        """The author's and the keeper's go on; a former one has ended; of one the person is at another school."""
        names = {NEAR: ("author", "keeper", "away"), FAR: ("away", "author", "keeper")}[self._child]
        for name in names:
            person = self._village.person_id(name)
            row = await ContactsPair.create(
                **self._own, person_id=person, since=factories.FIRST_DAY, begun_by=self._lead,
                active_key=pair_key(self._pupil.id, person),
            )  # fmt: skip
            self._thing("pairs/{pair}", row.id)
        await ContactsPair.create(
            **self._own, person_id=self._village.person_id("former"), since=factories.FIRST_DAY, until=TODAY,
            begun_by=self._lead,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ card
    async def _card(self) -> None:
        for holder, kinds in OF_HOLDER.items():
            for kind in kinds:
                name = f"fact.{holder.value}.{kind.value}"
                stated: dict[str, Any] = {
                    "holder": holder,
                    "kind": kind,
                    "stated_on": TODAY,
                    "source": FactSource.CARER,
                }
                older = self._text("fact.older", "以前说的")
                if kind not in DATED:
                    await ContactsFact.create(**self._own, **stated, value=older, entered_at=factories.LONG_AGO)
                row = await ContactsFact.create(**self._own, **stated, value=self._value(name, kind), entered_at=NOW)
                self._thing("facts/{fact}", row.id)
        own = uuid4()
        words = FITNESS[Fitness.NO], FITNESS[Fitness.UNKNOWN]
        self._phrase("check.age_ok", f"(?s){self._pupil.name}.*年龄合适：{words[0]}")
        self._phrase("check.health_ok", f"(?s){self._pupil.name}.*身体能照看：{words[1]}")
        self._phrase("check.no_barred_ground", f"(?s){self._pupil.name}.*没有不宜照看的情形：{words[0]}")
        paper = await self._files.keep(
            Owner(PAPER, str(own)), self._ledger.picture("check.file_id", self._child), "image/jpeg"
        )
        await ContactsCheck.create(
            **self._own, id=own, age_ok="no", health_ok="unknown", no_barred_ground="no", written_on=TODAY,
            file_id=UUID(paper.id), checked_by=self._lead, checked_on=TODAY,
        )  # fmt: skip

    def _value(self, name: str, kind: FactKind) -> str:
        if kind is FactKind.PHONE:
            return self._ledger.phone(name, self._child)
        return self._ledger.day(name, self._child) if kind in DATED else self._text(name, "说的话")

    # --------------------------------------------------------------------------------------------------------- records
    async def _records(self) -> None:
        record: dict[str, Any] = {
            "school_id": self._place.school.id, "happened_on": TODAY, "entered_at": NOW, "way": Way.VISIT,
            "met": ["carer"], "outcome": ContactOutcome.REACHED, "topics": ["life"],
        }  # fmt: skip
        own = uuid4()
        files: dict[str, Any] = {
            f"{name}_id": UUID(
                (await self._files.keep(Owner(FILES, str(own)), self._ledger.picture(f"record.{name}_id", self._child),
                                        "image/jpeg")).id
            )
            for name in ("photo", "voice")
        }  # fmt: skip
        await ContactsRecord.create(
            **self._own, **record, **files, id=own, author_id=self._author, client_key=own.hex,
            finding=self._text("record.finding", "作业没人管"),
            sealed_part=self._text("record.sealed_part", "不要外传"),
            follow_up=self._text("record.follow_up", "再去一次"), follow_up_on=TODAY + timedelta(days=1),
        )  # fmt: skip
        self._thing("records/{record}", own)
        self._thing("sealed/{record}", own)
        former = await ContactsRecord.create(
            **self._own, **record, author_id=self._village.person_id("former"), client_key=uuid4().hex,
            finding=self._text("record:former.finding", "以前写的"),
        )  # fmt: skip
        self._thing("records/{record}", former.id)
        body = '{"way": "visit", "finding": "' + self._text("draft.body", "写到一半") + '"}'
        await ContactsDraft.create(**self._own, person_id=self._author, body=body)

    async def _reports(self) -> None:
        *_, first, second = _KINDS[self._child]
        for state, trigger in ((ReportState.OPEN, first), (ReportState.CLOSED, second)):
            name = f"report:{state.value}"
            self._phrase(f"{name}.triggers", f'{TRIGGERS[trigger]}|"{trigger.value}"')
            said = self._text(f"{name}.calls", "王老师"), self._text(f"{name}.calls", "编号")
            is_closed = state is ReportState.CLOSED
            row = await ContactsReport.create(
                **self._own, school_id=self._place.school.id, township_id=self._place.township.id,
                triggers=stored_triggers([trigger]), words=self._text(f"{name}.words", "看到的"),
                calls=stored_calls([Call(Called.POLICE, NOW, *said)]), opened_by=self._author, opened_at=NOW,
                state=state, completed_at=NOW if is_closed else None, closed_at=NOW if is_closed else None,
                closing=self._text(f"{name}.closing", "已经妥善安置") if is_closed else None,
            )  # fmt: skip
            self._thing("reports/{report}", row.id)

    async def _looking(self) -> None:
        """Who looked past their own, and still does in one case; what was taken out, what is printed."""
        at: dict[str, Any] = {"school_id": self._place.school.id, **_MOMENTS}
        who, until = {NEAR: ("opener", NOW + timedelta(hours=2)), FAR: ("head_far", NOW)}[self._child]
        glass = await ContactsGlass.create(
            **at, pupil_id=self._pupil.id, person_id=self._village.person_id(who), ground=Ground.DANGER, until=until,
            at=NOW - timedelta(hours=1), reason=self._text("glass.reason", "孩子发烧"),
        )  # fmt: skip
        later = NOW + timedelta(days=3)
        for state, refusal in (
            (ExportState.WAITING, None),
            (ExportState.REFUSED, self._text("export.refusal", "不合适")),
        ):
            row = await ContactsExport.create(
                **at, person_id=self._lead, taken_for=TakenFor.INSPECTION, state=state, digest="", expires_at=later,
                purpose=self._text("export.purpose", "县里检查"), refusal=refusal,
            )  # fmt: skip
            self._thing("exports/{export}", row.id)
            self._thing("releases/{release}", row.id)
        paper = await ContactsPrint.create(
            **at, pupil_id=self._pupil.id, person_id=self._lead, taken_for=TakenFor.INSPECTION, at=NOW, until=later,
            purpose=self._text("print.purpose", "县里来看"),
        )  # fmt: skip
        self._thing("prints/{print}", paper.id)
        self._thing("glass/{glass}", glass.id)
        self._thing("glasses/{opened}", glass.id)
        record = await ContactsRecord.get(pupil_id=self._pupil.id, photo_id__not_isnull=True)
        check = await ContactsCheck.get(pupil_id=self._pupil.id)
        for own in (record.photo_id, record.voice_id, check.file_id):
            self._thing("pictures/{seen_file}", own)

    async def _family(self) -> None:
        """What is kept up with parents who live apart, and a round of asking anew."""
        at: dict[str, Any] = {"school_id": self._place.school.id, **_MOMENTS}
        await ContactsWord.create(
            **at, pupil_id=self._pupil.id, author_id=self._author, month=TODAY.replace(day=1), send_on=TODAY + _WEEK,
            words=self._text("word.words", "孩子在校都好"), target_key=f"{self._pupil.id}:2026-09",
        )  # fmt: skip
        guardian = self._village.person_id({NEAR: "family", FAR: "family_far"}[self._child])
        call = await ContactsCall.create(
            **at, pupil_id=self._pupil.id, teacher_id=self._author, guardian_id=guardian, at=NOW + _WEEK,
            state=CallState.AGREED, active_key=f"{self._pupil.id.hex[:30]}:call",
        )  # fmt: skip
        asked = await ContactsRefresh.create(
            **at, township_id=self._place.township.id, begun_on=TODAY, ends_on=TODAY + _WEEK, older_than=90,
        )  # fmt: skip
        self._thing("calls/{call}", call.id)
        self._thing("refreshing/{campaign}", asked.id)

    # ------------------------------------------------------------------------------------------------------ term check
    async def _check(self) -> None:
        at: dict[str, Any] = {"township_id": self._place.township.id, "school_id": self._place.school.id}
        listed = await TermCheckRound.create(
            **at, **_MOMENTS, term="2026-autumn", school_year=2026, name=TERM.name, first_day=TERM.first_day,
            last_day=TERM.last_day, list_day=TERM.first_day - timedelta(days=60),
        )  # fmt: skip
        room: dict[str, Any] = {"round_id": listed.id, "class_id": self._place.room.id}
        await TermCheckListed.create(**self._own, **room, grade=3)
        known_by = {NEAR: KnownBy.RELATIVE, FAR: KnownBy.CLASSMATE}[self._child]
        self._phrase("absence.known_by", f"听谁说的</dt><dd>{SOURCES[known_by]}")
        case = await TermCheckAbsence.create(
            **self._own, **at, **room, state=CaseState.LOCATED, where_to=self._text("absence.where_to", "在县城"),
            known_by=known_by.value, outcome=self._text("absence.outcome", "等等看"), opened_on=factories.FIRST_DAY,
            stage=CaseStage.CLASS, active_key=str(self._pupil.id),
        )  # fmt: skip
        await TermCheckStep.create(
            **_MOMENTS, absence_id=case.id, kind=StepKind.VISIT, on_day=TODAY, at=NOW, by_person=self._author,
            words=self._text("step.words", "见到爷爷"),
        )  # fmt: skip
        proof = await self._files.keep(
            proofs_of(case.id), self._ledger.picture("absence.proof", self._child), "image/jpeg"
        )
        self._thing("cases/{case}", case.id)
        self._thing("proofs/{proof}", proof.id)
        self._thing("rooms/{room}", self._place.room.id)


async def plant(village: Village) -> Village:
    """Both children."""
    async with transaction():
        for child, pupil in village.children.items():
            await Planting(village, child).plant()
            for parameter in (
                "register/{child}",
                "children/{child}",
                "kept/{kept}",
                "cards/{ward}",
                "own/{ward}",
                "families/{ward}",
            ):
                village.thing(parameter, child, pupil.id)
    return village
