"""What providers say of the messages that we sent."""
