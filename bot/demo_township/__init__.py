"""A made-up township for demonstrations and load tests: names, the plan of who is who, and the filling of a database.

Everybody in it is invented by a generator: the same seed and the same day give the same township.
"""
