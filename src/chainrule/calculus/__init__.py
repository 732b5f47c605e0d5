"""The article, as code: arrays in, arrays out. Start with :mod:`chainrule.calculus.gradient`."""
