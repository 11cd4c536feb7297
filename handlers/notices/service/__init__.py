"""Notices: writing, signing, sending, reading, confirming, counting."""
