"""Training: from a table to a model, by the engine, in slices that can be watched and interrupted."""
