"""Tests of the check at the beginning of a term."""
