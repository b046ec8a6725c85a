"""The ledger's keeping: seals are set on it from time to time, and all of it can be verified."""
