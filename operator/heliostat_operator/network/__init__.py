"""What runs may reach."""
