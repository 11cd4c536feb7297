"""Anything sent later: the outbox, its worker and the channels."""
