"""The account of a person: signing in, what a guest takes along, the archive, erasing."""
