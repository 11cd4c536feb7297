"""Talking with one person: routes, dialogues and their steps, and one handling per message."""
