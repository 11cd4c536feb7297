"""The demo's pages: a phone screen in the browser for each persona, the wire behind every message, and a log.

What a visitor taps or types goes the way a follower's message goes: as signed XML to the product's callback. The pages
show what a phone would show of the answer, and nothing they have made up themselves.
"""
