"""Where things are kept: the database (SQLite or PostgreSQL) and Redis (or its in-process stand-in)."""
