"""The knowledge in use: there when loaded, replaced as a whole."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from bot.library import KnowledgeLoading, Library


async def test_there_is_nothing_until_it_is_loaded() -> None:
    library = Library(lambda: "first")
    with pytest.raises(KnowledgeLoading):
        _ = library.current
    assert library.version == 0
    await library.load()
    assert (library.current, library.version) == ("first", 1)
    await library.check()


async def test_the_old_one_serves_until_the_new_one_is_whole() -> None:
    go_on, contents = threading.Event(), ["first", "second"]

    def build() -> str:
        if contents[0] == "second":
            go_on.wait(10)
        return contents.pop(0)

    library = Library(build)
    await library.load()
    reload = asyncio.create_task(library.load())
    await asyncio.sleep(0)
    assert library.current == "first"
    go_on.set()
    await reload
    assert (library.current, library.version) == ("second", 2)


async def test_a_faulty_reload_leaves_the_old_one() -> None:
    contents = ["first"]
    library = Library(lambda: contents.pop())
    await library.load()
    with pytest.raises(IndexError):
        await library.load()
    assert (library.current, library.version) == ("first", 1)


async def test_building_does_not_stop_the_event_loop() -> None:
    go_on = threading.Event()
    library = Library(lambda: go_on.wait(10))
    library.start()
    for _ in range(10):
        await asyncio.sleep(0)
    with pytest.raises(KnowledgeLoading):
        await library.check()
    go_on.set()
    await loaded(library)
    assert library.current is True
    await library.close()


async def loaded(library: Library[Any]) -> None:
    async with asyncio.timeout(60):
        while not library.version:  # noqa: ASYNC110 - the thread that builds knows no event of this loop
            await asyncio.sleep(0.001)


async def test_closing_does_not_wait_for_a_load() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def build() -> str:
        begun.set()
        go_on.wait(10)
        return "too late"

    library = Library(build)
    library.start()
    await asyncio.to_thread(begun.wait, 10)
    await library.close()
    go_on.set()
    with pytest.raises(KnowledgeLoading):
        await library.check()


async def test_a_held_library_waits_for_its_release() -> None:
    built: list[bool] = []
    library = Library(lambda: built.append(True))
    library.hold()
    library.start()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not built
    library.release()
    await loaded(library)
    assert built == [True]
    await library.close()


async def test_closing_a_held_library_builds_nothing() -> None:
    library = Library(lambda: pytest.fail("nobody waits for this"))
    library.hold()
    library.start()
    await library.close()


async def test_faulty_knowledge_keeps_the_service_up_and_unready() -> None:
    tried = threading.Event()

    def build() -> str:
        tried.set()
        raise ZeroDivisionError

    library = Library(build)
    library.start()
    await asyncio.to_thread(tried.wait, 10)
    await library.close()
    with pytest.raises(KnowledgeLoading):
        await library.check()
