"""Phones: their settings, their tokens, their health."""
