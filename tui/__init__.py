"""The operators' console: a whole store on one screen, and any order understood in seconds."""
