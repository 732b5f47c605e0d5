"""Bad input of every kind, as tables, and the good files that it is made from."""
