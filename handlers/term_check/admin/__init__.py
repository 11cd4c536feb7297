"""Console pages of the check, made for a phone."""
