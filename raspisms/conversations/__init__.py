"""What is said with one person: reading it, looking after it together."""
