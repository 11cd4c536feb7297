"""Pages of the console itself."""
