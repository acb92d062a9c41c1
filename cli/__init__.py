"""The storebus command."""
