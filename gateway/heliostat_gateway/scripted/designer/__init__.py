"""The script that plays the designer of agents where no model does."""
