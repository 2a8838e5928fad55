"""Octopush, with a virtual number, and the same pointed at the built-in sandbox."""
