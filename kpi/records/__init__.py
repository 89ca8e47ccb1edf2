"""What people write down: kept apart from the warehouse, which can be made again from exports, as this can't."""
