"""Draws: holding one, how they stand, and why it came so for a family."""
