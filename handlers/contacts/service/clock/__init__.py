"""The contact clock: what is due, who is told, and by which rule."""
