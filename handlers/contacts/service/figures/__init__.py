"""What months came to: counted once, and shown so that nobody is recognised."""
