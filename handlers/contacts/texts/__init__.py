"""Every sentence of the contact with families, by what it is about."""
