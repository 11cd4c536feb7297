"""What became of a contact with a family."""
