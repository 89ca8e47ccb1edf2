"""North Star: one page of shared figures, computed from the exports a company already has."""
