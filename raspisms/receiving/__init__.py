"""What comes in: journal (stored before it is answered), reports, replies, optouts."""
