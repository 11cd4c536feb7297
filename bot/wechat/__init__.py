"""Everything that speaks WeChat's wire formats: the callback's envelope, messages, replies and the HTTP API."""
