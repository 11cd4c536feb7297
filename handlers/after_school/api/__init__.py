"""The API's way to the after-school service, part by part."""
