"""A network with its numbers and with what its inputs and outputs mean, in memory and in files."""
