"""The base holds what every package may know: texts, views, the person, roles, field errors."""
