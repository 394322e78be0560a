"""The app is put together here: settings, dependencies, routers, pages; every feature is known."""
