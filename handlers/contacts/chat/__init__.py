"""Contacts with families in the chat."""
