"""Forms: what people type, checked; the same sentences whichever page shows them."""
