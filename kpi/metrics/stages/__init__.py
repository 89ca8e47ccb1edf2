"""Stages: each reads one table once for some leaves and yields rows for the stack, one file a way to stand in time.

A row of the stack has the slot (which set of windows), the place of the period, the groups, and the stage's columns;
those of additive stages carry a sign and are added up, so that what ends a window is taken off by what began before.
"""
