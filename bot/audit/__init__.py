"""The record of who did what with protected data: append-only, written with the deed, chained by hash soon after."""
