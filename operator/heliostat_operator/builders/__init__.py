"""Every object that the operator makes, one pure function a kind."""
