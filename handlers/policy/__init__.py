"""Policy questions, for everybody: a question in, a cited answer out, in the chat and through the API.

The chat keeps, for ten minutes, what was asked last and which options were offered; for longer, the place a person says
they are in. What was asked is logged without personal data, in batches, so that gaps in the knowledge show. A person
may say whether an answer helped, and why not.
"""
