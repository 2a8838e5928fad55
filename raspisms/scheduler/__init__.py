"""What runs at which second, and why."""
