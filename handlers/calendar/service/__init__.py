"""The use cases of the calendar."""
