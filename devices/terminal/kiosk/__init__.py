"""The kiosk: a terminal's face for customers, on a touch screen or with keys and a scanner."""
