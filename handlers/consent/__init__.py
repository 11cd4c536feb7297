"""Children's data: the notice and its versions, a guardian's consent for each child, what rests on it and what on a
statutory duty, a child's data as a download, erasure, and the terms after which data go.

Consent for a child is unasked → given | refused, given → withdrawn, and may be given anew.
"""
