"""The console's model of a store. Pure: messages and time are passed in; no Textual."""
