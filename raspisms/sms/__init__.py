"""What an SMS is made of: its parts, its numbers, its words. No database, no web."""
