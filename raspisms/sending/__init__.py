"""What goes out: outbox (a message is a row), claim, dispatch, outcome."""
