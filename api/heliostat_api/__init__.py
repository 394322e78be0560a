"""REST, dashboard and event stream; arrives with a later issue."""
