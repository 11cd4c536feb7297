"""The contact card: who is reached how, since when that is known, and whether whoever looks after a child is fit to."""
