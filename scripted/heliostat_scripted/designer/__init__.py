"""Plays the designer of agents in the chat where no model does: recordings and fixed forms."""
