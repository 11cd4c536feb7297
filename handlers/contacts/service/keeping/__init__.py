"""Until when something about a child is kept, and what is left of it."""
