"""Someone else's gradient is judged, and the mistake in it is named.

``case`` is the problem, ``calculation`` the exact way to ∇C in steps that a mistake may replace, ``rounding`` what a
correct calculation may err by, ``mistakes`` the catalogue, ``check`` the search for the mistake that explains what
was given.
"""
