"""The fault suite: an installation is hurt at random instants, and every message, report and reply is counted.

`make faults` runs every kind of fault fifty times on both databases and prints the table; the tests of this
folder are the short version. A seed makes the instants and the choices the same ones again.
"""
