"""One source for every screen: the event log, the stream, and what fills them."""
