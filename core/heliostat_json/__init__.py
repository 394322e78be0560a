"""JSON as model APIs speak it: read and written fast, and looked into without surprises."""
