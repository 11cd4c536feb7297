"""Use cases of this capability."""
