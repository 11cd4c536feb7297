"""Offers: written piece by piece, looked over, published, and taken to the families on paper."""
