"""Clean exports, what people and programs do to them, and a score of how each is read."""
