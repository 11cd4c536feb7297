"""Waivers: what families ask for, and who checks, decides and hears an appeal."""
