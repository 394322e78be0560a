"""Puts the rooms of the api together: each module opens one, over its surroundings."""
