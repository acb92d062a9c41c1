"""Settlement: orders, payments, and the customer's side of every order."""
