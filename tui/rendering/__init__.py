"""Renders the model as lines of styled text: pure functions that know no Textual."""
