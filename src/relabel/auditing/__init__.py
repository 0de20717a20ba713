"""Which labels are wrong, how surely, and what to do with them."""
