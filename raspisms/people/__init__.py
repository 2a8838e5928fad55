"""The people whom the team writes to: contacts, groups, lists that come in and go out."""
