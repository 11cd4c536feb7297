"""Pages of collecting: all classes, one class, one child, whom to ring, the signature, why not, and the workbook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from bot.clock import Clock, local_date, to_local
from bot.errors import AppError, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import EXPORT_SIZE, Sheet, download_of
from handlers.after_school.domain.ledger import BY_HAND, LONGEST_REASON, Standing, Voice, WishInvalid
from handlers.after_school.domain.statements import ConsentHow, Wish
from handlers.after_school.service.collection.chasing import Chasing
from handlers.after_school.service.collection.entering import Entering, Entry
from handlers.after_school.service.collection.tallies import TallyService
from handlers.after_school.service.collection.views import ChildPage, ClassTally, CourseAt, Line, PlanAt
from handlers.after_school.texts import collection as texts

TALLY: Final = "/after-school/tally"
PLAN: Final = TALLY + "/{plan}"
CLASS: Final = PLAN + "/classes/{class_id}"
CHILD: Final = PLAN + "/children/{child}"
# Those somebody has to do something about come first.
ORDER: Final = tuple(Standing)
_HOWS: Final = {how.value: source for source, hows in BY_HAND.items() for how in hows}
WORDS: Final[Mapping[str, Any]] = {
    "standing": texts.STANDINGS,
    "tag": texts.STANDING_TAGS,
    "next": texts.NEXT_STEPS,
    "source": texts.SOURCES,
    "short": texts.SHORT_SOURCES,
    "how": texts.HOWS,
    "wish": texts.WISHES,
    "state": texts.SIGN_UP_STATES,
    "must_leave": texts.MUST_LEAVE,
    "longest": LONGEST_REASON,
}


class CollectionPages:
    """The handlers."""

    def __init__(self, tallies: TallyService, entering: Entering, chasing: Chasing, clock: Clock) -> None:
        self._tallies = tallies
        self._entering = entering
        self._chasing = chasing
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, enter, sign = Action.TALLY_VIEW, Action.TALLY_ENTER, Action.TALLY_SIGN
        return (
            AdminRoute(method="GET", path=TALLY, action=view, handle=self.home, menu=texts.MENU),
            AdminRoute(method="GET", path=PLAN, action=view, handle=self.plan),
            AdminRoute(method="GET", path=CLASS, action=view, handle=self.room),
            AdminRoute(method="GET", path=CLASS + "/ring", action=view, handle=self.ring),
            AdminRoute(method="POST", path=CLASS + "/reveal", action=view, handle=self.reveal),
            AdminRoute(method="POST", path=CLASS + "/remind", action=enter, handle=self.remind),
            AdminRoute(method="GET", path=CLASS + "/close", action=sign, handle=self.close_form),
            AdminRoute(method="POST", path=CLASS + "/close", action=sign, handle=self.close),
            AdminRoute(method="GET", path=CLASS + "/reopen", action=sign, handle=self.reopen_form),
            AdminRoute(method="POST", path=CLASS + "/reopen", action=sign, handle=self.reopen),
            AdminRoute(method="GET", path=CLASS + "/reasons", action=Action.TALLY_REASONS, handle=self.reasons),
            AdminRoute(method="GET", path=CHILD, action=view, handle=self.child),
            AdminRoute(method="POST", path=CHILD, action=enter, handle=self.say),
            AdminRoute(method="POST", path=CHILD + "/sign-up", action=enter, handle=self.sign_up),
            AdminRoute(method="POST", path=CHILD + "/take-back", action=enter, handle=self.take_back),
        )

    # ----------------------------------------------------------------------------------------------------- all classes
    async def home(self, call: AdminCall) -> AdminAnswer:
        """The plans; with only one, straight to it."""
        plans = await self._tallies.plans(call.actor)
        if len(plans) == 1:
            return WayOn(f"{TALLY}/{plans[0].id}")
        return Page("after_school/collection_plans.html", {"plans": plans})

    async def plan(self, call: AdminCall) -> AdminAnswer:
        """All classes within reach: who has signed, and what is still to be done."""
        day = self._day(call)
        if call.query.get("export") == "xlsx":
            return await self._workbook(call, await self._tallies.all_classes(call.actor, call.id("plan"), day), day)
        found = await self._tallies.roll_up(call.actor, call.id("plan"), day)
        values = {"page": found, "counts": _named(found.counts), "words": WORDS, "today": self._today(), "day": day}
        return Page("after_school/collection_plan.html", values)

    # ------------------------------------------------------------------------------------------------------- one class
    async def room(self, call: AdminCall) -> AdminAnswer:
        """One class, child by child."""
        day = self._day(call)
        tally = await self._tallies.of_class(call.actor, call.id("plan"), call.id("class_id"), day)
        if call.query.get("export") == "xlsx":
            return await self._workbook(call, [tally], day)
        return self._room_page(tally)

    def _room_page(self, tally: ClassTally, fault: str = "") -> Page:
        lines = sorted(tally.lines, key=lambda line: ORDER.index(line.heard.standing))
        values = {
            "tally": tally,
            "rows": [(line, _courses(tally.plan, line), _last_word(line)) for line in lines],
            "counts": _named(tally.counts),
            "words": WORDS,
            "today": self._today(),
            "is_over": tally.plan.is_over(self._today()),
            "fault": fault,
        }
        return Page("after_school/collection_class.html", values, 409 if fault else 200)

    async def ring(self, call: AdminCall) -> AdminAnswer:
        """Whom to call."""
        return await self._ring_page(call, {})

    async def reveal(self, call: AdminCall) -> AdminAnswer:
        """The list again, with one phone in clear. That it was shown is written down."""
        person = call.form_id("person")
        phone = await self._chasing.reveal(call.actor, call.id("plan"), call.id("class_id"), person)
        return await self._ring_page(call, {person: phone})

    async def _ring_page(self, call: AdminCall, shown: Mapping[str, str]) -> Page:
        tally, rings = await self._chasing.to_ring(call.actor, call.id("plan"), call.id("class_id"))
        values = {"tally": tally, "rows": rings, "shown": shown, "words": WORDS, "no_phone": texts.NO_PHONE}
        return Page("after_school/collection_ring.html", values)

    async def remind(self, call: AdminCall) -> AdminAnswer:
        """Those who have not answered are told once more."""

        async def deed() -> str:
            count = await self._chasing.remind(call.actor, call.id("plan"), call.id("class_id"))
            return texts.REMINDED.format(count=count)

        return await self._done(call, deed)

    async def _done(self, call: AdminCall, deed: Callable[[], Awaitable[str]]) -> AdminAnswer:
        """Back to the class, with what was done or why not."""
        try:
            notice = await deed()
        except AppError as fault:
            if fault.denial is not None:
                raise
            tally = await self._tallies.of_class(call.actor, call.id("plan"), call.id("class_id"))
            return self._room_page(tally, fault.message)
        return WayOn(f"{TALLY}/{call.id('plan')}/classes/{call.id('class_id')}", notice)

    # --------------------------------------------------------------------------------------------------- the signature
    async def close_form(self, call: AdminCall) -> AdminAnswer:
        """What is signed."""
        return await self._sign_page(call, "after_school/collection_close.html")

    async def close(self, call: AdminCall) -> AdminAnswer:
        """Signed."""

        async def deed() -> str:
            own = call.id("plan"), call.id("class_id"), call.form.get("fingerprint", "")
            await self._tallies.close(call.actor, *own)
            return texts.CLOSED

        return await self._done(call, deed)

    async def reopen_form(self, call: AdminCall) -> AdminAnswer:
        """Why it is opened again."""
        return await self._sign_page(call, "after_school/collection_reopen.html")

    async def reopen(self, call: AdminCall) -> AdminAnswer:
        """Open again."""

        async def deed() -> str:
            own = call.id("plan"), call.id("class_id"), call.form.get("reason", "")
            await self._tallies.reopen(call.actor, *own)
            return texts.REOPENED

        return await self._done(call, deed)

    async def _sign_page(self, call: AdminCall, template: str) -> Page:
        tally = await self._tallies.of_class(call.actor, call.id("plan"), call.id("class_id"))
        return Page(template, {"tally": tally, "counts": _named(tally.counts), "words": WORDS})

    async def reasons(self, call: AdminCall) -> AdminAnswer:
        """Why families do not join. That it was read is written down."""
        tally, rows = await self._tallies.reasons(call.actor, call.id("plan"), call.id("class_id"))
        return Page("after_school/collection_reasons.html", {"tally": tally, "rows": rows, "words": WORDS})

    # ------------------------------------------------------------------------------------------------------- one child
    async def child(self, call: AdminCall) -> AdminAnswer:
        """Everything said, and the form for what was said now."""
        return self._child_page(await self._tallies.child(call.actor, call.id("plan"), call.id("child")), call)

    def _child_page(self, page: ChildPage, call: AdminCall, fault: str = "") -> Page:
        values = {
            "page": page,
            "voices": [_shown(page, voice) for voice in page.heard.voices],
            "sign_ups": [(page.plan.title_of(each.programme_id), each) for each in page.heard.sign_ups],
            "wanted": texts.COMMA.join(filter(None, map(page.plan.title_of, page.heard.wanted))),
            "courses": [(course.id, f"{course.title}（{times(course)}）") for course in _courses_for(page)],
            "disagrees": page.heard.standing is Standing.DISAGREEING,
            "can_enter": not page.is_closed and not page.plan.is_over(self._today()),
            "given": call.form,
            "hows": list(texts.HOWS.items()),
            "today": self._today(),
            "words": WORDS,
            "fault": fault,
        }
        return Page("after_school/collection_child.html", values, 422 if fault else 200)

    async def say(self, call: AdminCall) -> AdminAnswer:
        """What the family said."""
        plan, child = call.id("plan"), call.id("child")
        try:
            entry = self._entry(call)
            await self._entering.say(call.actor, plan, child, entry)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return self._child_page(await self._tallies.child(call.actor, plan, child), call, fault.message)
        page = await self._tallies.child(call.actor, plan, child)
        return WayOn(f"{TALLY}/{plan}/classes/{page.room.id}", texts.SETTLED if entry.settles else texts.SAID)

    async def sign_up(self, call: AdminCall) -> AdminAnswer:
        """The child is signed up for its family."""
        plan, child = call.id("plan"), call.id("child")
        try:
            how = call.form.get("how", "")
            if how not in _HOWS:
                raise WishInvalid(texts.HOW_MISSING)
            course = call.form.get("course", "")
            state = await self._entering.sign_up(call.actor, plan, child, course, ConsentHow(how))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return self._child_page(await self._tallies.child(call.actor, plan, child), call, fault.message)
        words = texts.SIGNED_UP.format(state=texts.SIGN_UP_STATES[state.value])
        return WayOn(f"{TALLY}/{plan}/children/{child}", words)

    async def take_back(self, call: AdminCall) -> AdminAnswer:
        """A mistake."""
        plan, child = call.id("plan"), call.id("child")
        try:
            await self._entering.take_back(call.actor, plan, child, call.form_id("statement"))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return self._child_page(await self._tallies.child(call.actor, plan, child), call, fault.message)
        return WayOn(f"{TALLY}/{plan}/children/{child}", texts.TAKEN_BACK)

    def _entry(self, call: AdminCall) -> Entry:
        wish, how, course = (call.form.get(name, "") for name in ("wish", "how", "course"))
        if wish not in (Wish.JOIN, Wish.NOT_JOIN) or how not in _HOWS:
            raise WishInvalid
        joins_course = wish == Wish.JOIN and bool(course)
        return Entry(
            wish=Wish.COURSE if joins_course else Wish(wish),
            source=_HOWS[how],
            how=ConsentHow(how),
            said_on=_date(call.form.get("said_on", "")),
            programme_id=course if joins_course else None,
            reason=call.form.get("reason", ""),
            settles=call.form.get("settles") == "1",
        )

    # -------------------------------------------------------------------------------------------------------- workbook
    async def _workbook(self, call: AdminCall, tallies: Sequence[ClassTally], day: date | None) -> AdminAnswer:
        """The office's form: a line a child, with the signature of the class."""
        await self._tallies.exported(call.actor, tallies)
        filters = [texts.SHEET_DAY.format(day=day or self._today())]
        if tallies:
            filters.insert(0, texts.SHEET_PLAN.format(term=tallies[0].plan.term, title=tallies[0].plan.title))
        rows = list(_sheet_rows(tallies))[:EXPORT_SIZE]
        return await download_of(
            Sheet(
                title=texts.SHEET,
                head=texts.SHEET_HEAD,
                rows=rows,
                filters=filters,
                exporter=call.actor.name or "",
                at=self._clock.now(),
            )
        )

    def _today(self) -> date:
        return local_date(self._clock.now())

    def _day(self, call: AdminCall) -> date | None:
        """The day asked for; None: now."""
        day = _date(call.query.get("day", ""))
        return day if day is not None and day < self._today() else None


def times(course: CourseAt) -> str:
    """When it is."""
    days = "".join(texts.WEEKDAYS[day - 1] for day in course.weekdays)
    return texts.COURSE_TIME.format(days=days, starts=course.starts_at, ends=course.ends_at)


def _courses_for(page: ChildPage) -> list[CourseAt]:
    return page.plan.courses_for(page.room.grade)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(texts.DAY_WRONG) from None


def _named(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [(name, texts.STANDINGS[name], count) for name, count in counts.items()]


def _courses(plan: PlanAt, line: Line) -> list[tuple[str, str]]:
    """What the child is signed up for, and how far that is; what it only wishes for."""
    active = [each for each in line.heard.sign_ups if each.is_active]
    found = [(plan.title_of(each.programme_id), texts.SIGN_UP_STATES[each.state.value]) for each in active]
    return found + [(plan.title_of(own), texts.STANDINGS["wants"]) for own in line.heard.wanted]


def _last_word(line: Line) -> Voice | None:
    return line.heard.voices[0] if line.heard.voices else None


def _shown(page: ChildPage, voice: Voice) -> dict[str, Any]:
    """A line of the history: what, how, when, by whom; whether it counts, and whether it can be taken back."""
    return {
        "voice": voice,
        "course": page.plan.title_of(voice.programme_id),
        "by": page.names.get(voice.entered_by or "", ""),
        "counts": voice in page.heard.latest.values(),
        "can_take_back": voice.id is not None and voice.source in BY_HAND,
        "is_late": voice.id is not None and local_date(voice.known_at) != local_date(voice.said_at),
    }


def _sheet_rows(tallies: Sequence[ClassTally]) -> Iterator[tuple[object, ...]]:
    number = 0
    for tally in tallies:
        mark = tally.mark
        signed = texts.SHEET_NOT_SIGNED
        if mark is not None and mark.is_closed:
            signed = texts.SHEET_SIGNED.format(by=mark.by, at=f"{to_local(mark.at):%Y-%m-%d}")
        for line in tally.lines:
            number += 1
            active = [each for each in line.heard.sign_ups if each.is_active]
            courses = [tally.plan.courses[each.programme_id] for each in active]
            last = _last_word(line)
            yield (
                number,
                tally.room.school,
                tally.room.name,
                line.seat.name,
                texts.STANDINGS[line.heard.standing.value],
                texts.COMMA.join(course.title for course in courses),
                texts.COMMA.join(times(course) for course in courses),
                texts.SHORT_SOURCES[last.source.value] if last else "",
                f"{to_local(last.said_at):%Y-%m-%d}" if last else "",
                signed,
            )
