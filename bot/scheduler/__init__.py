"""Ticks. Business time lives in tables; a tick only asks a service to do what is due."""
