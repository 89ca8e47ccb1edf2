"""The commands of ``python -m kpi``, one file for what belongs together."""
