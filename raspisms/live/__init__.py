"""What open pages are told of, and by whom it is carried to them."""
