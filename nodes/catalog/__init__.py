"""The catalog: products, their styles, and how many are left."""
