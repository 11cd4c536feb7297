"""Use cases of recurring duties."""
