"""What comes in: journal (stored before it is answered), replies, what comes of a STOP, answers while away."""
