"""Text for people: what may be shown, in which language, and how it is printed."""
