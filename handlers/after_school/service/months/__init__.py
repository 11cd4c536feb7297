"""Use cases of month's and term's end: lessons given, bills, what families thought of it."""
