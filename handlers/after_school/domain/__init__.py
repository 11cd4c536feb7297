"""Rules of the after-school service. Pure: days, moments and calendars are arguments, money is in fen."""
