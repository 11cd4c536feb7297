"""Sessions: secrets, terms, owners as of this moment, ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotFound
from bot.identity import Actor, Door, Hat, Role
from bot.storage.database import Database, transaction
from handlers.accounts.domain import Account, AppointmentKind, SessionKind
from handlers.accounts.models import Appointment, Bar, Guardianship, Person, Session, WeChatIdentity
from handlers.accounts.service.sessions import TERMS, SessionEnded, SessionService
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
)

KEY = b"k" * 32


@pytest.fixture
def sessions(database: Database, clock: FrozenClock) -> SessionService:
    return SessionService(clock, KEY)


async def guardian(openid: str = "mp_demo_g_000001") -> tuple[Person, WeChatIdentity, Guardianship]:
    person = await make_person(name="李秀英")
    tie = await make_guardianship(await make_pupil(), person)
    return person, await make_identity(openid, person, account=Account.MINI_PROGRAM), tie


async def test_a_secret_tells_who_its_owner_is(sessions: SessionService, clock: FrozenClock) -> None:
    person, identity, tie = await guardian()
    opened = await sessions.open_api(identity.id, device="MicroMessenger")
    actor = await sessions.authenticate(opened.secret)
    assert (actor.name, actor.person_id, actor.identity_id) == ("李秀英", str(person.id), str(identity.id))
    assert (actor.session_id, actor.door, actor.has_agreed) == (opened.id, Door.API, True)
    assert actor.roles == {Role.GUARDIAN}
    assert [grant.children for grant in actor.grants] == [{str(tie.pupil_id)}]
    assert actor.openid_index == identity.openid_index
    assert opened.expires_at == clock.now() + timedelta(days=30)


async def test_only_a_fingerprint_of_the_secret_is_kept(
    sessions: SessionService, database: Database, clock: FrozenClock
) -> None:
    _, identity, _ = await guardian()
    opened = await sessions.open_api(identity.id)
    assert len(opened.secret) == 43
    assert opened.secret not in repr(opened)
    [row] = await database.connection.execute_query_dict("SELECT * FROM accounts_session")
    assert opened.secret not in str(row)
    # Under another session key nobody is logged in.
    with pytest.raises(SessionEnded):
        await SessionService(clock, b"x" * 32).authenticate(opened.secret)


@pytest.mark.parametrize("secret", ["", "x", "x" * 10_000, "\udcff", "a b", "钥匙"])
async def test_an_unknown_secret_is_nobody_s(sessions: SessionService, secret: str) -> None:
    with pytest.raises(SessionEnded):
        await sessions.authenticate(secret)


async def test_a_session_of_one_door_is_none_at_the_other(sessions: SessionService) -> None:
    person, identity, _ = await guardian()
    api, console = await sessions.open_api(identity.id), await sessions.open_console(person.id)
    with pytest.raises(SessionEnded):
        await sessions.authenticate_console(api.secret)
    with pytest.raises(SessionEnded):
        await sessions.authenticate(console.secret)


# ---------------------------------------------------------------------------------------------------------------- terms
async def test_a_session_renews_itself_while_it_is_used(sessions: SessionService, clock: FrozenClock) -> None:
    _, identity, _ = await guardian()
    opened = await sessions.open_api(identity.id)
    for _ in range(3):
        clock.advance(timedelta(days=29))
        await sessions.authenticate(opened.secret)
    clock.advance(timedelta(days=30))
    with pytest.raises(SessionEnded):
        await sessions.authenticate(opened.secret)


async def test_its_use_is_written_down_once_an_hour(sessions: SessionService, clock: FrozenClock) -> None:
    _, identity, _ = await guardian()
    opened, written = await sessions.open_api(identity.id), []
    for _ in range(9):
        clock.advance(timedelta(minutes=15))
        await sessions.authenticate(opened.secret)
        written.append((await Session.get(id=opened.id)).seen_at)
    assert len(set(written)) == 3


async def test_sessions_that_ended_long_ago_are_forgotten(sessions: SessionService, clock: FrozenClock) -> None:
    _, identity, _ = await guardian()
    await sessions.open_api(identity.id)
    clock.advance(timedelta(days=31))
    assert await sessions.forget_ended() == 0
    clock.advance(timedelta(days=30))
    assert await sessions.forget_ended() == 1


# --------------------------------------------------------------------------------------------------- as of this moment
async def test_rights_end_with_what_they_rest_on(sessions: SessionService, clock: FrozenClock) -> None:
    person, identity, tie = await guardian()
    opened = await sessions.open_api(identity.id)
    today = clock.now().date()

    async def roles() -> set[Role]:
        return set((await sessions.authenticate(opened.secret)).roles)

    bar = await Bar.create(
        pupil_id=tie.pupil_id, person_id=person.id, reason="令", since=today, created_at=LONG_AGO, updated_at=LONG_AGO
    )
    assert await roles() == {Role.VISITOR}
    await bar.delete()
    assert await roles() == {Role.GUARDIAN}
    await Guardianship.filter(id=tie.id).update(ended_on=today)
    assert await roles() == {Role.VISITOR}
    charge = await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=await make_class())
    assert await roles() == {Role.HEAD_TEACHER}
    await Appointment.filter(id=charge.id).update(until=today)
    assert await roles() == {Role.HEAD_TEACHER}
    clock.advance(timedelta(days=1))
    assert await roles() == {Role.VISITOR}


async def test_a_binding_counts_in_sessions_that_are_open(sessions: SessionService) -> None:
    identity = await make_identity("mp_x", account=Account.MINI_PROGRAM)
    opened = await sessions.open_api(identity.id)
    actor = await sessions.authenticate(opened.secret)
    assert actor.roles == {Role.VISITOR}
    assert actor.person_id is None
    person, _, _ = await guardian()
    async with transaction():
        await WeChatIdentity.filter(id=identity.id).update(person_id=person.id)
        # Also in the very transaction that binds.
        assert (await sessions.refreshed(actor)).roles == {Role.GUARDIAN}
    assert (await sessions.authenticate(opened.secret)).roles == {Role.GUARDIAN}


async def test_somebody_with_two_hats_wears_one(sessions: SessionService) -> None:
    person, identity, _ = await guardian()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=await make_class())
    opened = await sessions.open_api(identity.id)
    actor = await sessions.authenticate(opened.secret)
    assert actor.roles == {Role.HEAD_TEACHER}
    assert actor.hat is Hat.STAFF
    assert actor.hats == {Hat.GUARDIAN, Hat.STAFF}
    await Session.filter(id=opened.id).update(hat=Hat.GUARDIAN)
    assert (await sessions.authenticate(opened.secret)).roles == {Role.GUARDIAN}
    # In the console nobody acts as a guardian.
    await WeChatIdentity.filter(id=identity.id).update(hat=Hat.GUARDIAN)
    console = await sessions.open_console(person.id, identity_id=identity.id)
    assert (await sessions.authenticate_console(console.secret)).roles == {Role.HEAD_TEACHER}


async def test_an_older_agreement_does_not_count(sessions: SessionService) -> None:
    _, identity, _ = await guardian()
    opened = await sessions.open_api(identity.id)
    await WeChatIdentity.filter(id=identity.id).update(privacy_version="0")
    assert not (await sessions.authenticate(opened.secret)).has_agreed


async def test_many_at_once_each_get_their_own(sessions: SessionService) -> None:
    import asyncio

    people = [await guardian(f"mp_{number}") for number in range(20)]
    opened = [await sessions.open_api(identity.id) for _, identity, _ in people]
    secrets = [each.secret for each in opened] + ["nobody's"]
    found = await asyncio.gather(*(sessions.authenticate(secret) for secret in secrets), return_exceptions=True)
    assert [getattr(each, "person_id", None) for each in found] == [str(person.id) for person, _, _ in people] + [None]
    assert isinstance(found[-1], SessionEnded)


# ----------------------------------------------------------------------------------------------------------------- ends
async def test_an_owner_sees_and_ends_their_own_sessions_only(sessions: SessionService, clock: FrozenClock) -> None:
    person, identity, _ = await guardian()
    _, other_identity, _ = await guardian("mp_demo_g_000002")
    first, foreign = await sessions.open_api(identity.id, device="旧手机"), await sessions.open_api(other_identity.id)
    clock.advance(timedelta(hours=1))
    second, console = await sessions.open_api(identity.id), await sessions.open_console(person.id)
    actor = await sessions.authenticate(second.secret)
    views = await sessions.sessions(actor)
    assert {view.id for view in views} == {first.id, second.id, console.id}
    assert [view.id for view in views if view.is_current] == [second.id]
    with pytest.raises(NotFound):
        await sessions.revoke(actor, foreign.id)
    await sessions.revoke(actor, first.id)
    await sessions.revoke(actor, first.id)
    with pytest.raises(SessionEnded):
        await sessions.authenticate(first.secret)
    assert {view.id for view in await sessions.sessions(actor)} == {second.id, console.id}
    assert (await sessions.authenticate(foreign.secret)).identity_id == str(other_identity.id)


async def test_a_stranger_may_log_out_too(sessions: SessionService) -> None:
    identity = await make_identity("mp_x", account=Account.MINI_PROGRAM)
    opened = await sessions.open_api(identity.id)
    actor: Actor = await sessions.authenticate(opened.secret)
    assert [view.id for view in await sessions.sessions(actor)] == [opened.id]
    await sessions.revoke(actor, opened.id)
    with pytest.raises(SessionEnded):
        await sessions.authenticate(opened.secret)


async def test_all_sessions_of_a_person_end_at_once(sessions: SessionService) -> None:
    person, identity, _ = await guardian()
    _, other_identity, _ = await guardian("mp_demo_g_000002")
    one, two = await sessions.open_api(identity.id), await sessions.open_console(person.id)
    other = await sessions.open_api(other_identity.id)
    assert await sessions.revoke_all(person_id=person.id, but=two.id) == 1
    with pytest.raises(SessionEnded):
        await sessions.authenticate(one.secret)
    await sessions.authenticate_console(two.secret)
    assert await sessions.revoke_all(person_id=person.id) == 1
    assert await sessions.revoke_all() == 0
    await sessions.authenticate(other.secret)


def test_the_console_is_left_sooner_than_the_phone() -> None:
    assert TERMS[SessionKind.CONSOLE].life < TERMS[SessionKind.API].life
