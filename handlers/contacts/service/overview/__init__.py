"""Everything of a school that waits for its protection lead, in one place."""
