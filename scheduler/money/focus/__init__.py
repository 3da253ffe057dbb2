"""The ledger as a FOCUS table."""
