"""One run: what is seen of it, what is decided, what is done."""
