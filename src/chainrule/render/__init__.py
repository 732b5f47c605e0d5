"""How numbers, tables and symbols look. Knows nothing of what they mean."""
