"""What the project promises about speed, measured beside what DuckDB and an expert's own SQL need in the same run."""
