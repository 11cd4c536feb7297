"""Collecting by the head teacher: what families said, class by class, and the signed list."""
