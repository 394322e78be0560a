"""The routes file: what it may say, its mistakes with their lines, and what is made of it."""
