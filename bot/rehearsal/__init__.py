"""A span of time played through with a simulated clock: what would go out, to whom, and who could not be reached."""
