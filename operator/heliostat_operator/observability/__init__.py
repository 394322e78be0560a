"""What is told of the operator to those who watch it."""
