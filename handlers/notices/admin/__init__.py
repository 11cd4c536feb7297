"""Pages about notices: writing, looking before sending, the second signature, watching, calling, and the reader's."""
