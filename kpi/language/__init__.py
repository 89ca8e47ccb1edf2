"""The language of the YAML files, apart from what its words stand for: expressions, keys with values, and their problems."""
