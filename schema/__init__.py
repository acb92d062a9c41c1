"""The published contract: AsyncAPI, JSON Schemas, a page, and the check for breaking changes."""
