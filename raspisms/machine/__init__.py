"""What this machine gives: a folder, addresses, processes, and the front of its two ports."""
