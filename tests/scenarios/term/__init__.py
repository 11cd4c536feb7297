"""A whole term of the after-school service as one play, and the book that is kept beside it."""
