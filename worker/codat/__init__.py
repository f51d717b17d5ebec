"""Codat's wire protocol and nothing else: what is sent, what comes back, and how often we may ask."""
