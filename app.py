"""The page registry, the shared filters in the URL, the theme."""
