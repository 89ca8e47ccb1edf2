"""Jira Cloud's CSV export, one file a project: repeated columns, worklogs in cells, local times without a zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kpi.demo import story
from kpi.demo.company import Company, Issue
from kpi.demo.exports import columns, office_time, write_csv

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Status -> its category.
_CATEGORIES: Final = {"To Do": "To Do", "In Progress": "In Progress", "Done": "Done"}
#: Two-week sprints are numbered from the first day.
_SPRINT_DAYS: Final = 14


def write(company: Company, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write a file for each project, as Jira Cloud exports at most 1,000 issues at once; newest issues first."""
    for product in story.PRODUCTS:
        issues = [issue for issue in company.issues if issue.product is product]
        path = folder / f"{product.project} (Jira).csv"
        write_csv(path, _rows(issues, company))
        yield path, len(issues)


def _rows(issues: list[Issue], company: Company) -> Iterator[list[str]]:
    """The header is as wide as the widest issue: a column for each label and each worklog."""
    labels = max(1, *(len(issue.labels) for issue in issues))
    works = max(1, *(len(issue.works) for issue in issues))
    yield [
        *columns("Summary,Issue key,Issue id,Issue Type,Status,Project key,Project name,Project type,Project lead,Project lead id"),
        *columns(
            "Priority,Resolution,Assignee,Assignee Id,Reporter,Reporter Id,Creator,Creator Id,Created,Updated,Last Viewed,Resolved,Votes"
        ),
        *["Labels"] * labels,
        "Description",
        *["Log Work"] * works,
        *columns("Original estimate,Remaining Estimate,Time Spent,Custom field (Story point estimate),Sprint"),
        *columns("Parent,Parent key,Parent summary,Status Category,Status Category Changed"),
    ]
    numbers = {issue.key: str(issue.number) for issue in issues}
    for issue in reversed(issues):
        person, person_id = issue.person, _person_id(issue.person)
        updated = _updated(issue)
        resolved = _local(office_time(issue.resolved_on, issue.key, _evening(issue))) if issue.resolved_on else ""
        spent = sum(int(work.hours * 3600) for work in issue.works)
        yield [
            issue.title,
            issue.key,
            str(issue.number),
            issue.kind,
            issue.status,
            issue.product.project,
            issue.product.name,
            "software",
            "Ines Baumann",
            _person_id("Ines Baumann"),
            issue.priority,
            issue.resolution,
            *(person, person_id) * 3,
            _local(office_time(issue.created_on, issue.key)),
            updated,
            "",
            resolved,
            "0",
            *issue.labels,
            *[""] * (labels - len(issue.labels)),
            issue.description,
            *(
                f"{work.comment};{_local(office_time(work.day, f'{issue.key}/{i}'))};{_person_id(work.person)};{int(work.hours * 3600)}"
                for i, work in enumerate(issue.works)
            ),
            *[""] * (works - len(issue.works)),
            "",
            "",
            str(spent) if spent else "",
            "" if issue.points is None else f"{issue.points}.0",
            f"{issue.product.project} Sprint {(issue.created_on - company.start).days // _SPRINT_DAYS + 1}",
            numbers.get(issue.parent, ""),
            issue.parent,
            issue.parent_title,
            _CATEGORIES[issue.status],
            resolved or updated,
        ]


def _evening(issue: Issue) -> int:
    """Minutes that a resolution comes after the creation when both fall on one day."""
    return 55 if issue.resolved_on == issue.created_on else 0


def _updated(issue: Issue) -> str:
    return _local(office_time(issue.updated_on, issue.key, _evening(issue)))


def _person_id(name: str) -> str:
    """Accounts look like ``712020:…``; this one is made of the name's letters."""
    digits = name.encode().hex().ljust(32, "0")[:32]
    return f"712020:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _local(instant: dt.datetime) -> str:
    """``15/Feb/26 4:31 PM`` in the zone of the person who exports."""
    half = "AM" if instant.hour < 12 else "PM"
    return f"{instant.day}/{_MONTHS[instant.month - 1]}/{instant.year % 100:02} {instant.hour % 12 or 12}:{instant.minute:02} {half}"
