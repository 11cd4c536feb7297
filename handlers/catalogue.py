"""The capabilities of this system, in the order in which their routes are tried and their menu items shown.

Removing a line removes the feature.
"""

from __future__ import annotations

from bot.capability import Capability
from handlers.policy.capability import POLICY
from handlers.support.capability import SUPPORT

CAPABILITIES: tuple[Capability, ...] = (POLICY, SUPPORT)
