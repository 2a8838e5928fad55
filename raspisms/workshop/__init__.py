"""Where what strangers and members wrote is worked on: a process of its own that may be killed at any moment.

A text, a rule or a file can ask for more time and memory than any check foresees, some of it in C, where nothing
interrupts. So none of it runs where pages are served: a child with limits of the kernel's does it, and says so when it
was stopped. `client` asks, `child` works, `crafts` is the closed list of what it can do.
"""

from .client import Asked, Ended, Limits, ask

__all__ = ["Asked", "Ended", "Limits", "ask"]
