"""Measurements, each against something of the same run: `make bench`."""
