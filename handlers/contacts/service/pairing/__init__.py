"""Who keeps contact with which child."""
