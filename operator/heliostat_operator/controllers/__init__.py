"""What every controller is, and the registry that finds them."""
