"""Keys: who presents one, what it opens, how it ends."""
