"""The HTTP edges: WeChat's callback, the mini-program's API, the console."""
