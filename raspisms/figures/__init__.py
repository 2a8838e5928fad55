"""Figures of what was sent, day by day, and what it cost."""
