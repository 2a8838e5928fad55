"""E-mails to the team: who gets which, what they say, how they leave."""
