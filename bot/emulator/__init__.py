"""A local WeChat for the demo and the tests: the platform's API, followers with their phones, and its clock.

It speaks to the product over HTTP only, and follows what is known of the real platform; what is not known for certain
is a setting in `rules.Rules`.
"""
