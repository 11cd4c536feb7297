"""The chat's ways to notices: reading and confirming one's own, and writing one in a sentence."""
