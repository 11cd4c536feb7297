"""Notices of schools and the township to families and staff.

Draft → (waiting for a second signature) → scheduled → sending → sent → closed; what is unsent can be recalled, what was
sent corrected. Who is told, who has read and confirmed, and who must be called is known for each child.
"""
