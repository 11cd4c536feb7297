"""Use cases of alarms."""
