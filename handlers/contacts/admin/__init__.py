"""Console pages of the contact with families, by what they are about."""
