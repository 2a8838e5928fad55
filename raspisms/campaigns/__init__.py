"""Campaigns: who is meant, what each gets and costs, the word that lets it go, and all that happens until its end."""
