"""The school's contact with families whose children need more of it: who is on the register and why, who is paired with
whom, contact cards, contact records.

For the teachers paired with children, head teachers and the protection lead of a school. A file is open, ended, sealed,
reduced; what was written is never rewritten, another version follows. Two layers: facts for those who keep contact, the
confidential part for the protection lead alone. Whoever reads is written down before anything is shown; whoever looks
past their own is told of at once, and what is taken out needs a second person.
"""
