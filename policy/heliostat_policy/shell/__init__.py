"""Shell commands are read as bash reads them; what can't be read for certain is Unknown."""
