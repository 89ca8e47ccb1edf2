"""The metrics layer: definitions in YAML, one SQL statement, a result."""
