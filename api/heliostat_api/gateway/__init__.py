"""The api towards the gateway: who it is there, whom it charges, and what it asks."""
