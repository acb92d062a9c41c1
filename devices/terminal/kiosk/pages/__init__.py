"""What the kiosk shows, a page at a time."""
