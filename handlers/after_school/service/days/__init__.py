"""Use cases of every day: who comes, who is missing, who collects, who is on duty."""
