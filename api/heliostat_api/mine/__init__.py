"""What a person owns: all of it to take along, all of it gone."""
