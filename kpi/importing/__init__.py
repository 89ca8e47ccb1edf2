"""Exports -> archive -> recognised -> staged -> merged -> published."""
