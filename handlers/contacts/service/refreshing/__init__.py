"""Asking anew what the cards know, before families come home."""
