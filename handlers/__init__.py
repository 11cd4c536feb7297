"""What the system does: one package for each capability. `handlers.catalogue` lists them."""
