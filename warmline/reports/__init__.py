"""What leaves the house as sums: settlement, figures of calls, and the door that exports pass."""
