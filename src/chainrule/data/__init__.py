"""Tables of examples: where they come from, and how their columns become numbers."""
