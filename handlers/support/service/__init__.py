"""Use cases of the support capability, by subject."""
