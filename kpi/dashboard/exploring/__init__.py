"""Explore: any metric, by any dimension, over any time, down to its rows."""
