"""The programs that puzzles are made of.

``program`` is what one is: right lines, and swaps that put a mistake of the catalogue into one of them; ``numbers`` the
numbers it starts from; ``teaching`` what hints and answers say of each mistake; ``spelling`` activations as NumPy. Each
other module has programs of a kind: ``one_hidden`` for level 1, ``two_hidden`` and ``every_layer`` for level 2,
``costs`` and ``every_example`` for level 3.
"""
