"""Pages of the after-school service in the console."""
