"""The first two weeks of a term in a township of several schools, played through and counted a second time by other
code: what is on the board every evening, who was told what on which day, and the rates at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from handlers.accounts.models import Pupil
from handlers.term_check.domain.cases import CaseEvent
from handlers.term_check.domain.figures import Level, RateName
from handlers.term_check.models import TermCheckAbsence
from handlers.term_check.service.cases import Ending
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.term_check.stage import FIRST, Campus, Room, Stage

DAYS = [FIRST + timedelta(days=n) for n in range(14) if (FIRST + timedelta(days=n)).weekday() < 5]
SCHOOLS = ((1, 3, 6), (2, 5), (4,), (7, 8, 9))
CHILDREN = 8
SCHOOL_AFTER, CENTRE_AFTER, TOWN_AFTER = 1, 3, 5
OPEN, ILL, MOVED, OTHER, BACK, CAME = "open", "ill", "moved", "other", "back", "came"


@dataclass
class Life:
    """What really happens to a child, and what has been written of it."""

    child: Pupil
    is_new: bool
    comes_on: int
    """The number of the first day it comes; past the last one: it does not."""
    fate: str
    state: str = CAME
    opened: int = -1
    back_on: date = date.max


@dataclass
class Model:
    """The township in plain words."""

    lives: dict[str, list[Life]] = field(default_factory=dict)
    reported: dict[str, set[int]] = field(default_factory=dict)
    told: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def tell(self, person: object, word: str, day: int) -> None:
        """Somebody is promised to be told on a day."""
        self.told.setdefault((str(person), word), set()).add(DAYS[day].isoformat())

    def owed(self, room: str, day: int) -> bool:
        """Whether a class was to report on an earlier day, and has not since."""
        if not self.reported[room]:
            return True
        return max(self.reported[room]) < day and any(
            life.state == OPEN and life.opened <= day for life in self.lives[room]
        )

    def is_full(self, room: str) -> bool:
        """Whether a class has reported and looks for nobody."""
        return bool(self.reported[room]) and all(life.state != OPEN for life in self.lives[room])


def drawn(stage: Stage, chance: Random) -> Model:
    model = Model()
    for campus in stage.schools:
        for room in campus.rooms:
            model.reported[room.id] = set()
            model.lives[room.id] = [
                Life(
                    child,
                    room.row.grade == 1,
                    chance.choice((0, 0, 0, 0, 0, 1, 3, 6, 99)),
                    chance.choice((OPEN, OPEN, ILL, MOVED, OTHER)),
                )
                for child in room.children
            ]
    return model


async def test_two_weeks_of_a_township(stage: Stage) -> None:
    chance = Random(20260901)
    await stage.build(*SCHOOLS, children=CHILDREN)
    await stage.rule(centre=stage.schools[0])
    model = drawn(stage, chance)
    diligence = {room.id: chance.choice((1.0, 0.9, 0.4)) for campus in stage.schools for room in campus.rooms}
    await stage.run()
    for number, day in enumerate(DAYS):
        await stage.go_to(day)
        morning(stage, model, number)
        for campus in stage.schools:
            for room in campus.rooms:
                if chance.random() < diligence[room.id]:
                    await report(stage, model, room, number)
            await decide(stage, model, campus, number, chance)
        await same_board(stage, model)
    await same_cases(stage, model)
    await same_promises(stage, model)
    await same_rates(stage, model)


def morning(stage: Stage, model: Model, number: int) -> None:
    """Before anybody is at work: who has not come back from illness, who climbs, who is asked."""
    for campus in stage.schools:
        for room in campus.rooms:
            for life in model.lives[room.id]:
                if life.state == ILL and life.back_on < DAYS[number]:
                    life.state, life.opened = OPEN, number
                if life.state == OPEN:
                    climb(stage, model, campus, life, number)
        owing = [room for room in campus.rooms if not model.is_full(room.id)]
        for room in owing:
            model.tell(room.head.id, "return", number)
        # A class owes the day before when it looked for somebody then, and said nothing.
        if number and any(model.owed(room.id, number - 1) for room in owing):
            model.tell(campus.leader.id, "late", number)


def climb(stage: Stage, model: Model, campus: Campus, life: Life, number: int) -> None:
    away = number - life.opened
    if away == SCHOOL_AFTER:
        model.tell(campus.leader.id, "school", number)
    if away == CENTRE_AFTER:
        model.tell(stage.schools[0].leader.id, "centre", number)
    if away == TOWN_AFTER:
        model.tell(stage.admin.id, "township", number)


async def report(stage: Stage, model: Model, room: Room, number: int) -> None:
    asked = [life for life in model.lives[room.id] if life.state in (CAME, BACK, OPEN)]
    absent = [life for life in asked if life.comes_on > number]
    await stage.report(room, *(life.child for life in absent))
    for life in asked:
        if life in absent and life.state != OPEN:
            life.state, life.opened = OPEN, number
        elif life not in absent and life.state == OPEN:
            life.state = BACK
    model.reported[room.id].add(number)


async def decide(stage: Stage, model: Model, campus: Campus, number: int, chance: Random) -> None:
    """The school finds out what became of some."""
    leader = await stage.actor(campus.leader)
    for room in campus.rooms:
        for life in model.lives[room.id]:
            if life.state != OPEN or life.fate == OPEN or number - life.opened < 2 or chance.random() < 0.5:
                continue
            own = str((await stage.case_of(life.child)).id)
            life.back_on = DAYS[number] + timedelta(days=3)
            ending = {
                ILL: Ending(CaseEvent.EXCUSE, "医生开了单，在家休息", life.back_on),
                MOVED: Ending(CaseEvent.TRANSFER, "转到县城二小", proof=png()),
                OTHER: Ending(CaseEvent.OTHERWISE, "家里说不再读了"),
            }[life.fate]
            await stage.cases.end(leader, own, ending)
            life.state = life.fate


async def same_board(stage: Stage, model: Model) -> None:
    rows = {
        row.room.id: row for school in await stage.board.schools(await stage.actor(stage.admin)) for row in school.rooms
    }
    for room, lives in model.lives.items():
        assert rows[room].listed == len(lives)
        counts = rows[room].counts
        assert (counts is None) == (not model.reported[room])
        if counts is not None:
            states = [life.state for life in lives]
            assert counts.as_tuple() == (
                len(states), states.count(CAME) + states.count(BACK), states.count(OPEN), states.count(MOVED),
                states.count(ILL), states.count(OTHER),
            )  # fmt: skip
            assert rows[room].is_full == (OPEN not in states)


async def same_cases(stage: Stage, model: Model) -> None:
    rows = {str(row.pupil_id): row for row in await TermCheckAbsence.filter(active_key__not_isnull=True)}
    still = {str(life.child.id): life for lives in model.lives.values() for life in lives if life.state == OPEN}
    assert rows.keys() == still.keys()
    for child, life in still.items():
        away = len(DAYS) - 1 - life.opened
        steps = sum(away >= after for after in (SCHOOL_AFTER, CENTRE_AFTER, TOWN_AFTER))
        assert rows[child].stage.value == ("class", "school", "centre", "township")[steps]


async def same_promises(stage: Stage, model: Model) -> None:
    people = [stage.admin, *(campus.leader for campus in stage.schools)]
    people += [room.head for campus in stage.schools for room in campus.rooms]
    told = 0
    for person in people:
        for word in ("return", "late", "school", "centre", "township"):
            days = await stage.told(person, word)
            assert set(days) == model.told.get((str(person.id), word), set()), (word, person.name)
            told += len(days)
        # The cap: each word once a day and place; a head teacher has one class.
        assert len(await stage.told(person, "return")) <= len(DAYS)
    assert told > 50


async def same_rates(stage: Stage, model: Model) -> None:
    admin = await stage.actor(stage.admin)
    year = await stage.board.year(admin)
    for level, grades in ((Level.PRIMARY, (1, 2, 3, 4, 5, 6)), (Level.JUNIOR, (7, 8, 9))):
        lives = [
            life
            for campus in stage.schools
            for room in campus.rooms
            if room.row.grade in grades and model.reported[room.id]
            for life in model.lives[room.id]
            if life.state != MOVED
        ]
        lost = [life for life in lives if life.state in (OPEN, OTHER)]
        known = [life for life in lives if not life.is_new]
        stayed = [life for life in known if life.state not in (OPEN, OTHER)]
        found = year.total[level]
        drop, kept = found.rate(RateName.DROP_OUT), found.rate(RateName.RETENTION)
        assert Fraction(drop.part, drop.whole) == Fraction(len(lost), len(lives))
        assert Fraction(kept.part, kept.whole) == Fraction(len(stayed), len(known))
        new = [life for life in lives if life.is_new]
        came = found.rate(RateName.ENROLMENT)
        assert (came.part, came.whole) == (len([life for life in new if life not in lost]), len(new))
    assert year.rule is not None
    assert len(year.schools) == len(SCHOOLS)
