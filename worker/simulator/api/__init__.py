"""Codat's endpoints, one module per part of its API."""
