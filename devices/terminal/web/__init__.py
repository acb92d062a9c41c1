"""The phone page: a terminal for browsers, each with its own cart and orders."""
