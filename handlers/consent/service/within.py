"""Whether a child is within reach: asked first by every use case, so that missing and foreign look the same."""

from __future__ import annotations

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from handlers.accounts.service.people import PeopleService


async def child_within(people: PeopleService, actor: Actor, action: Action, child_id: str) -> tuple[str, Subject]:
    """The id of the child and whose affair it is. Raises NotPermitted without the right at all, whatever the id; then
    NotFound for what is not there and for what is not the actor's."""
    require(actor, action)
    try:
        whose = await people.subject_of_child(child_id)
    except NotFound as error:
        raise refusal(error, actor, action, Subject()) from None
    require(actor, action, whose)
    assert whose.child_id is not None
    return whose.child_id, whose
