"""Files that several programs read in the same way, beside the language without I/O."""
