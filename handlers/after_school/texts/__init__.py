"""Everything the after-school service says."""

from __future__ import annotations

CHILD_HEADING = "课后服务"
