"""Looking past what is one's own, and watching over it."""
