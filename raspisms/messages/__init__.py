"""Finding things again: words in texts, lines in lists."""
