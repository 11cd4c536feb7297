"""Rules of the contact with families: pure."""
