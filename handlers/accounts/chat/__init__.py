"""The chat of the accounts capability: binding, one's own affairs, and deciding on requests."""
