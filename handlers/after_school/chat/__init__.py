"""The after-school service in the chat."""
