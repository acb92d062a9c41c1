"""Texts for people: made safe to show, translated, wrapped, and printed."""
