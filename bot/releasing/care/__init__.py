"""`release doctor` and `release gc`: every place against the ledger."""
