"""The database: how it is opened, written to, typed and brought up to date."""
