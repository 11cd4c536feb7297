"""The history of the tables, one set for all capabilities.

Written by `make migration NAME=…`, reviewed by hand, never changed once released. Additive operations only: a new
table, a column that may be null or has a `db_default`, an index. Checks and partial unique indexes are `RunSQL`.
"""
