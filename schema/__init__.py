"""The contract as others can use it: AsyncAPI, JSON Schemas, a page; and what breaks it."""
