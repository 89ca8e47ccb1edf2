"""A sample company: three years of it, written as the files its systems would export, and its own arithmetic."""
