"""The warehouse: facts that imports alone write and everyone reads."""
