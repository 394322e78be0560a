"""What the money says: sums, anomalies, forecasts, audits. Reads the ledger, never writes rows."""
