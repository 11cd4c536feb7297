"""Writing down contacts as teachers do it: their own children, the question before a report, the report."""
