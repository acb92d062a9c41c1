"""The automatic sorter: brings goods from their locations to a pickup point and packs them."""
