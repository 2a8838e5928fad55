"""Messages: their one maker, their statuses and requests, their hours, and finding them again."""
