"""Campaigns before they leave: who is meant, what each one gets, what it costs, and the word that lets it go."""
