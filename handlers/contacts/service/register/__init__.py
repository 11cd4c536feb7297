"""Who is on the register, and how closely contact is kept."""
