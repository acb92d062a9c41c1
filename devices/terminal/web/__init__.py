"""The phone page: a terminal whose customers are browsers, each with its own cart and orders."""
