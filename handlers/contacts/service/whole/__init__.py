"""All that is held about one child, for whoever may read everything of it."""
