"""The automatic sorter: conveys goods from their locations to a pickup point and packs them."""
