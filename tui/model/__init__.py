"""What the console knows of a store. Pure: messages and the time are handed in; no Textual."""
