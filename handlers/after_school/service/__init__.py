"""Use cases of the after-school service."""
