"""REST, dashboard, event stream and chat; the only user of the document store."""
