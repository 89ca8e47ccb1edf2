"""How the records came to the tables that they have: one step a file in ``versions``, run by Alembic.

To add tables: write them in ``kpi/records/schema.py``, write the step that makes them as the next file of ``versions`` with the step
before as its ``down_revision``, and name it last in ``REVISIONS``. A step that was delivered is never changed.
"""

from __future__ import annotations

from typing import Final

#: Every step in its order; the last is what this program reads and writes.
REVISIONS: Final = (
    "0001_links",
    "0002_changes",
    "0003_notes",
    "0004_versions",
    "0005_closings",
    "0006_views",
)
HEAD: Final = REVISIONS[-1]
