"""What the server runs and hands out."""
