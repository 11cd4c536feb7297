"""Machinery of 乡校: how the service runs. Knows no single capability; those live in `handlers`."""
