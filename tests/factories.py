"""Rows for tests, made with as little as the test cares about. All people are invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from bot.identity import Hat
from bot.storage.base import blind_index
from handlers.accounts.domain import (
    Account,
    AppointmentKind,
    BindingWay,
    PlacementReason,
    PupilStatus,
    Relation,
    SchoolKind,
)
from handlers.accounts.models import (
    Appointment,
    Guardianship,
    Person,
    Placement,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)

# As old as nothing in any test.
LONG_AGO = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
FIRST_DAY = date(2026, 9, 1)
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN = "安宁平和明远青禾山川云舟雨田秋实"
_numbers = count(1)


def invented_name(number: int | None = None) -> str:
    """A name nobody was given: the same number, the same name."""
    number = next(_numbers) if number is None else number
    first, second = _GIVEN[number // 16 % 16], _GIVEN[number // 256 % 16]
    return _SURNAMES[number % 16] + first + second


def invented_phone(number: int | None = None) -> str:
    """A number of a mobile phone's form."""
    return f"199{next(_numbers) if number is None else number:08d}"


def _moments(values: dict[str, Any]) -> dict[str, Any]:
    return {"created_at": LONG_AGO, "updated_at": LONG_AGO, **values}


async def make_township(**values: Any) -> Township:
    """A township."""
    return await Township.create(**_moments({"name": f"第{next(_numbers)}镇", "county": "白云县", **values}))


async def make_school(township: Township | None = None, **values: Any) -> School:
    """A school, in a township of its own unless one is given."""
    values = {"name": f"第{next(_numbers)}小学", "kind": SchoolKind.SCHOOL, **values}
    return await School.create(**_moments({"township_id": (township or await make_township()).id, **values}))


async def make_class(school: School | None = None, **values: Any) -> SchoolClass:
    """Class 1 of grade 3 in the school year 2026, unless said otherwise."""
    values = {"school_year": 2026, "grade": 3, "number": 1, **values}
    return await SchoolClass.create(**_moments({"school_id": (school or await make_school()).id, **values}))


async def make_pupil(school_class: SchoolClass | None = None, **values: Any) -> Pupil:
    """A pupil and their place in the class. `birth_date` (a date) and `roster_number` become findable."""
    school_class = school_class or await make_class()
    name = values.pop("name", None) or invented_name()
    birth: date = values.pop("birth_date", date(2017, 5, 6))
    roster = values.pop("roster_number", None) or f"G{next(_numbers):018d}"
    pupil = await Pupil.create(
        **_moments(
            {
                "school_id": school_class.school_id,
                "school_class_id": school_class.id,
                "name": name,
                "birth_date": birth.isoformat(),
                "match_index": blind_index("match", f"{name}|{birth.isoformat()}"),
                "roster_number": roster,
                "roster_number_index": blind_index("roster_number", roster),
                "status": PupilStatus.ENROLLED,
                **values,
            }
        )
    )
    await Placement.create(
        **_moments(
            {
                "pupil_id": pupil.id,
                "school_class_id": school_class.id,
                "since": FIRST_DAY,
                "reason": PlacementReason.ENROLLED,
            }
        )
    )
    return pupil


async def make_person(**values: Any) -> Person:
    """A grown-up with a phone."""
    phone = values.pop("phone", None) or invented_phone()
    values = {"name": invented_name(), "phone": phone, "phone_index": blind_index("phone", phone), **values}
    return await Person.create(**_moments(values))


async def make_guardianship(pupil: Pupil, person: Person | None = None, **values: Any) -> Guardianship:
    """The person looks after the pupil, bound by invitation; `bound_at=None` for one who is only on the roster."""
    person = person or await make_person()
    values = {
        "relation": Relation.MOTHER,
        "is_acting": False,
        "bound_at": LONG_AGO,
        "bound_by": BindingWay.INVITATION,
        **values,
    }
    if values["bound_at"] is None:
        values["bound_by"] = None
    return await Guardianship.create(**_moments({"pupil_id": pupil.id, "person_id": person.id, **values}))


async def make_appointment(
    kind: AppointmentKind,
    person: Person | None = None,
    *,
    township: Township | None = None,
    school: School | None = None,
    school_class: SchoolClass | None = None,
    **values: Any,
) -> Appointment:
    """A charge from the first day of term on; what is above the place given is filled in."""
    if school is None and school_class is not None:
        school = await School.get(id=school_class.school_id)
    township_id = township.id if township else school.township_id if school else (await make_township()).id
    return await Appointment.create(
        **_moments(
            {
                "person_id": (person or await make_person()).id,
                "kind": kind,
                "township_id": township_id,
                "school_id": school.id if school else None,
                "school_class_id": school_class.id if school_class else None,
                "since": FIRST_DAY,
                **values,
            }
        )
    )


async def make_identity(
    openid: str, person: Person | None = None, *, account: Account = Account.SERVICE, **values: Any
) -> WeChatIdentity:
    """A WeChat id, bound to the person if one is given. `hat` as what they act."""
    hat: Hat | None = values.pop("hat", None)
    values = {"bound_at": LONG_AGO if person else None, "privacy_agreed_at": LONG_AGO, "privacy_version": "1", **values}
    return await WeChatIdentity.create(
        **_moments(
            {
                "account": account,
                "openid": openid,
                "openid_index": blind_index("openid", openid),
                "unionid_index": blind_index("unionid", "u" + openid.removeprefix("mp_")),
                "person_id": person.id if person else None,
                "hat": hat,
                **values,
            }
        )
    )
