"""Use cases of the contact with families, by what they are about."""
