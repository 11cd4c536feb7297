"""The console's own pages: logging in, who is logged in where, what waits for whom, and the search of the audit.

A log-in by scanning goes new → seen → confirmed or refused; one by password needs a code of an authenticator as well.
"""
