"""Keys, effects, peers and indexes that the operator's packages share; it imports none of them."""
