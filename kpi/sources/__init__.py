"""Mappings of files that no connector knows: YAML in the folder ``sources`` -> the same Connectors that Python makes."""
