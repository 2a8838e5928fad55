"""Campaigns: who is meant, what each one gets and costs, the word that lets it go, and all that happens to it until its end."""
