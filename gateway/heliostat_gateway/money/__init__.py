"""What calls cost: prices, reservations, the ledger and its rows."""
