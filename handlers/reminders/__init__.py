"""Reminders: people hear of what comes up, from the knowledge, from other capabilities, from teachers, or on their own
wish. An occurrence is expected, then planned lead by lead; each lead is waiting, due, or over. When its day is
corrected, what is unsent moves and those who were told hear of the new day; when it ends, what is unsent is not needed.
"""
