"""The use cases of reminders."""
