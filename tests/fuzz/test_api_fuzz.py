"""Whatever is thrown at the API: no 5xx, always the envelope, and nothing of another family."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from yarl import URL

from bot.clock import FrozenClock
from handlers.accounts.domain import Account, BindingWay, InvitationKind
from handlers.accounts.models import Guardianship, Invitation, Person, Pupil, WeChatIdentity
from handlers.accounts.service.codes import fingerprint
from tests.factories import LONG_AGO, make_guardianship, make_identity, make_person, make_pupil
from tests.miniprogram.village import Village, running_village

SHORT = 1_200
# Fifty thousand, in pieces that each end before the watchdog of hanging tests looks.
FULL = [(5_000, seed) for seed in range(1, 11)]
AT_ONCE = 8
# So high that no limit stands between the fuzz and the code; but one still has to answer.
LIMITS = {"requests_per_minute": 10**9, "failed_attempts_per_minute": 10**9}
BIRTHDAYS = {"甲甲": date(2017, 5, 6), "乙乙": date(2018, 1, 1)}
FAMILIES = tuple(BIRTHDAYS)
_STATUSES = {200, 201, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429}
_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "x", "x" * 2_000, "\0", "\u202e", "😀", "'; DROP TABLE x;--",
    "../..",
    "%00", "{{7*7}}", [], [[]], {}, {"a": {"b": 1}}, "2026-02-30", "0000-00-00", "9999-12-31", "三年级", "\ud83d",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet_server() -> Iterator[None]:
    """The HTTP library logs every unreadable request."""
    logger = logging.getLogger("aiohttp.server")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


@dataclass
class Family:
    """One parent: their marker stands in all names of the family, and in no other's."""

    marker: str
    token: str
    ids: list[str]
    at_the_door: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class Target:
    """The running application, its description, and who lives there."""

    village: Village
    document: dict[str, Any]
    families: list[Family]
    statuses: Counter[int] = field(default_factory=Counter)
    own_data: int = 0

    @property
    def all_ids(self) -> list[str]:
        return [each for family in self.families for each in family.ids]


@pytest.fixture
async def target(database_url: str, clock: FrozenClock) -> AsyncIterator[Target]:
    async with running_village(database_url, clock, limits=LIMITS) as village:
        families = [await settled(village, marker, number) for number, marker in enumerate(FAMILIES)]
        document = (await village.phone().get("/openapi.json")).body
        yield Target(village, document, families)


async def settled(village: Village, marker: str, number: int) -> Family:
    pupil: Pupil = await make_pupil(name=f"{marker}孩子", birth_date=BIRTHDAYS[marker])
    person: Person = await make_person(name=f"{marker}家长")
    await make_guardianship(pupil, person)
    openid = f"mp_fuzz_{number}"
    identity = await make_identity(openid, person, account=Account.MINI_PROGRAM)
    invitation = await Invitation.create(
        kind=InvitationKind.GUARDIAN,
        code_index=fingerprint("ACDE346" + "79"[number]),
        pupil_id=pupil.id,
        expires_at=LONG_AGO.replace(year=2027),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    phone = village.phone(openid)
    await phone.log_in()
    [session] = (await phone.get("/sessions")).body["items"]
    ids = [str(row.id) for row in (pupil, person, identity, invitation)] + [session["id"]]
    return Family(marker, phone.token or "", ids)


# ------------------------------------------------------------------------------------------------------------ the cases
class Mutator:
    """Requests that begin as the description has them and then go wrong somewhere."""

    def __init__(self, target: Target, seed: int) -> None:
        self._target = target
        self._chance = random.Random(seed)
        schemas = target.document["components"]["schemas"]
        self._routes = [
            (method.upper(), path, _schema_of(operation, schemas))
            for path, operations in target.document["paths"].items()
            for method, operation in operations.items()
        ]

    def request(self, family: Family) -> tuple[str, URL, dict[str, Any]]:
        """One request; most are of the family, some of nobody."""
        chance = self._chance
        method, path, schema = chance.choice(self._routes)
        if chance.random() < 0.05:
            method = chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
        url = self._target.village.url + self._filled(path)
        if chance.random() < 0.2:
            url += "?" + chance.choice(["limit=-1", "cursor=%00", "x=" + "y" * 500, "student_id=%F0%28", "as=staff"])
        options: dict[str, Any] = {"headers": self._headers(family)}
        if schema is not None or chance.random() < 0.1:
            options["data"] = self._body(schema or {}, family)
        return method, URL(url, encoded=True), options

    def _filled(self, path: str) -> str:
        chance = self._chance
        while "{" in path:
            head, _, rest = path.partition("{")
            ids = [*self._target.all_ids, str(uuid4()), "7", "%00", "%FF%FE", "x" * 300, "%2e%2e", "a%2fb"]
            path = head + chance.choice(ids) + rest.partition("}")[2]
        return path

    def _headers(self, family: Family) -> dict[str, str]:
        chance = self._chance
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {family.token}"}
        draw = chance.random()
        if draw < 0.1:
            headers["Authorization"] = chance.choice(["Bearer", "Bearer x", "Basic eA==", "bearer " + "y" * 4_000, ""])
        elif draw < 0.15:
            headers["Content-Type"] = chance.choice(["text/plain", "", "application/xml", "multipart/form-data"])
        if chance.random() < 0.3:
            headers["Idempotency-Key"] = chance.choice([str(uuid4()), "same", "", "x" * 200, "a b", "\xff"])
        return headers

    def _body(self, schema: dict[str, Any], family: Family) -> bytes:
        chance = self._chance
        body: Any = {name: self._value(name, family) for name in schema.get("properties", {})}
        for name in list(body):
            draw = chance.random()
            if draw < 0.15:
                del body[name]
            elif draw < 0.3:
                body[name] = chance.choice(_STRANGE)
        if chance.random() < 0.05:
            body[chance.choice(["id", "role", "person_id", "__proto__"])] = chance.choice(_STRANGE)
        if chance.random() < 0.03:
            body = chance.choice(_STRANGE)
        raw = json.dumps(body).encode()
        draw = chance.random()
        if draw < 0.04:
            cut = chance.randrange(len(raw) + 1)
            raw = raw[:cut] + bytes([chance.randrange(256)]) + raw[cut + chance.randrange(2) :]
        return b"[" * 50_000 if draw > 0.998 else raw

    def _value(self, name: str, family: Family) -> Any:
        """What a client might send. Nobody knows the name of another family's child: with that, their slip of paper
        and the date of birth they would be let in, and rightly."""
        chance, village = self._chance, self._target.village
        known: dict[str, list[Any]] = {
            "code": [
                "ACDE3467",
                "ACDE3469",
                village.account.login_code("mp_fuzz_new"),
                village.account.phone_code("13812345678"),
            ],
            "phone_code": [village.account.phone_code(f"139{chance.randrange(10**8):08d}")],
            "version": ["1", "0"],
            "as": ["guardian", "staff"],
            "child_name": [f"{family.marker}孩子"],
            "birth_date": [str(day) for day in BIRTHDAYS.values()],
            "relation": ["mother", "other"],
            "person_id": self._target.all_ids,
            "school_id": [str(uuid4())],
            "text": ["晚托多少钱", "小学报名是几号"],
            "place": ["鹤山镇", None],
        }
        return chance.choice(known.get(name, ["某某", None]))


def _schema_of(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "")
    found: dict[str, Any] | None = schemas.get(reference.rpartition("/")[2])
    return found


# -------------------------------------------------------------------------------------------------------------- judging
async def bombard(target: Target, count: int, seed: int) -> None:
    mutator, chance = Mutator(target, seed), random.Random(seed)
    left = iter(range(count))

    async def one_client() -> None:
        for _ in left:
            family, other = chance.sample(target.families, 2)
            method, url, options = mutator.request(family)
            # A session that was ended by one of the requests: somebody logs in again.
            status, body = await send(target, method, url, options)
            judge(target, (method, url, options), status, body, other)
            used = options["headers"]["Authorization"]
            if (status == 200 and method == "DELETE") or (status == 401 and used == f"Bearer {family.token}"):
                await log_in_again(target, family)

    await asyncio.gather(*(one_client() for _ in range(AT_ONCE)))


async def send(target: Target, method: str, url: URL, options: dict[str, Any]) -> tuple[int, bytes]:
    try:
        async with target.village.session.request(method, url, allow_redirects=False, **options) as response:
            return response.status, await response.read()
    except (aiohttp.ClientError, ValueError):
        return 400, b""  # the client itself would not send it, or the server hung up on it


async def log_in_again(target: Target, family: Family) -> None:
    """And binds the child again if that tie was cut. WeChat allows an id only so many log-ins a minute."""
    async with family.at_the_door:
        target.village.clock.advance(timedelta(seconds=2))
        phone = target.village.phone(f"mp_fuzz_{FAMILIES.index(family.marker)}")
        await phone.log_in()
        family.token = phone.token or ""
        pupil_id, person_id, identity_id = family.ids[:3]
        await Guardianship.filter(pupil_id=pupil_id, person_id=person_id, bound_at=None).update(
            bound_at=LONG_AGO, bound_by=BindingWay.INVITATION, ended_on=None
        )
        await WeChatIdentity.filter(id=identity_id).update(person_id=person_id)


def judge(target: Target, asked: tuple[object, ...], status: int, body: bytes, other: Family) -> None:
    target.statuses[status] += 1
    told = f"{asked}\n{status} {body[:500]!r}"
    assert status in _STATUSES, told
    text = body.decode()
    assert other.marker not in text, told
    target.own_data += any(family.marker in text for family in target.families)
    if status >= 400 and text:
        error = json.loads(text)["error"]
        assert error["message"].endswith("。"), told
        if status == 422 and error["code"] == "invalid_input" and error["details"]:
            assert all(error["details"]["fields"].values()), told


@pytest.mark.parametrize(
    ("count", "seed"), [(SHORT, 0), *(pytest.param(*piece, marks=pytest.mark.trial) for piece in FULL)]
)
async def test_fuzzed_requests_get_no_server_error_and_nothing_of_another_family(
    target: Target, count: int, seed: int
) -> None:
    await bombard(target, count, seed)
    # The control: much of it gets through, and tells families of their own.
    assert target.statuses[200] + target.statuses[201] > count // 10
    assert target.own_data > count // 50
    assert len(target.statuses) >= 8
