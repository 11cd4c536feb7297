"""Taking things out: tables that are encrypted and expire, the file of one child on paper."""
