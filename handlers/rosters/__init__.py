"""Rosters from Excel and back: a dry run, a change set to look at, one transaction, and the undoing of a whole import.

An import is read → (faulty | ready) → applied → undone, or discarded.
"""
