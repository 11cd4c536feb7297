"""Use cases of the policy capability, by subject."""
