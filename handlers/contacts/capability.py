"""The contact with families, put together."""

from __future__ import annotations

from bot.capability import Capability, EntryPoints, Machinery


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    return EntryPoints()


CONTACTS = Capability(name="contacts", build=build)
