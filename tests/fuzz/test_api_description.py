"""What the description promises, the API does: schemathesis makes requests from it and judges the answers."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from bot.clock import FrozenClock
from handlers.accounts.domain import Account
from tests.factories import make_guardianship, make_identity, make_person, make_pupil
from tests.fuzz.test_api_fuzz import LIMITS
from tests.miniprogram.village import running_village

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
# They would log us out: the second one ends the last tie to a child, and every session with it.
LEFT_OUT = ("delete_session", "delete_bindings_child_id")
# By how many examples of each operation it tries. How much is tried is never a matter of time: a slow machine tries the
# same. Every value a description allows or forbids (the coverage) is many thousands of requests.
PHASES = {3: "examples,fuzzing", 100: "examples,coverage,fuzzing"}


@pytest.mark.slow
@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("examples", [3, pytest.param(100, marks=pytest.mark.trial)])
async def test_the_description_keeps_its_promises(
    database_url: str, clock: FrozenClock, tmp_path: Path, examples: int
) -> None:
    async with running_village(database_url, clock, limits=LIMITS) as village:
        person, pupil = await make_person(), await make_pupil()
        await make_guardianship(pupil, person)
        await make_identity("mp_x", person, account=Account.MINI_PROGRAM)
        phone = village.phone("mp_x")
        await phone.log_in()
        left_out = [word for name in LEFT_OUT for word in ("--exclude-operation-id", name)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run", f"{village.url}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {phone.token}", "--checks", ",".join(CHECKS),
            "--phases", PHASES[examples], "--max-examples", str(examples), "--seed", "1",
            *left_out, "--generation-database", "none", "--no-color", "--warnings", "off",
            "--generation-with-security-parameters", "false",
            stdout=PIPE, stderr=STDOUT, cwd=tmp_path,
        )  # fmt: skip
        output, _ = await process.communicate()
        told = output.decode(errors="replace")
        assert process.returncode == 0, told[-6000:]
        counted = re.search(r"(\d+) generated, (\d+) passed", told)
        assert counted is not None, told[-3000:]
        assert counted[1] == counted[2]
        assert int(counted[1]) > 100
        # It was not turned away at the door.
        assert (await phone.get("/children")).status == 200
        assert phone.logins == 1
