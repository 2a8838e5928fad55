"""What this machine gives: a folder, addresses, processes."""
