"""Pages of the contact with families."""
