"""Readers of the trace, the deltas and the gradient: they look, name and explain, and change nothing."""
