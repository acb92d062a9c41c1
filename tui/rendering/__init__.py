"""Pictures of the model: pure functions to lines of styled text; they know no Textual."""
