"""What goes out as the staff see it: how far the messages are, what failed, and whom to call because no message reaches
them.
"""
