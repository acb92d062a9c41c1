"""The warehouse: storage locations, pickup points, pick jobs and parcels."""
