"""The people who use this installation: who they are, what they chose, when they are there, what they did."""
