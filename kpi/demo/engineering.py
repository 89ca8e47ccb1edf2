"""Issues and booked hours of six product teams, one of which works for one deal since it was won."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Final

from kpi.demo import story
from kpi.demo.company import Issue, Work
from kpi.demo.story import Product

_TEAMS: Final = {
    "Atlas": ("Ines Baumann", "Oleg Marchenko", "Sofia Lindgren", "Tom Becker", "Yusuf Arslan"),
    "Beacon": ("Clara Neumann", "Daniel Osei", "Freya Holt"),
    "Cirrus": ("Gianni Conti", "Hanna Wolff", "Ivar Strand"),
    "Delta": ("Julia Sommer", "Kofi Mensah", "Lars Petersen", "Mei Tanaka"),
    "Ember": ("Nadia Haddad", "Oskar Lehmann"),
    "Fjord": ("Petra Novak", "Rasmus Juhl"),
}
_VERBS: Final = ("Show", "Import", "Speed up", "Fix", "Simplify", "Translate", "Document", "Measure", "Secure", "Move")
_THINGS: Final = (
    "search",
    "the report builder",
    "sign-in",
    "the mobile view",
    "webhooks",
    "permissions",
    "the audit log",
    "billing pages",
    "exports",
    "sync",
)
#: What was promised in the big deal.
_PROMISES: Final = (
    "separate database",
    "own keys",
    "network link",
    "single sign-on of theirs",
    "data residency",
    "migration of 14 depots",
    "night support",
)
_DROPPED: Final = ("Won't Do", "Duplicate")
#: Jira Cloud exports at most this many issues at once; a project stays below it.
MOST_ISSUES: Final = 1000


def issues(rng: random.Random, start: dt.date, end: dt.date) -> list[Issue]:
    """The issues of all projects, by project and then in the order of their keys."""
    made: list[Issue] = []
    for product in story.PRODUCTS:
        made.extend(_project(rng, product, start, end, 10_000 + len(made)))
    return made


def _project(rng: random.Random, product: Product, start: dt.date, end: dt.date, first_id: int) -> list[Issue]:
    team = _TEAMS[product.name]
    big = story.BIG_DEAL
    won_on = end - dt.timedelta(weeks=big.weeks_before_end, days=3)
    made: list[Issue] = []
    epic, epic_title = "", ""

    def add(day: dt.date, title: str, kind: str, *, promised: bool, last: bool = False) -> None:
        key = f"{product.project}-{len(made) + 1}"
        made.append(_issue(rng, key, first_id + len(made), product, team, day, end, title, kind, promised, (epic, epic_title), last))

    day = start
    while day < end:
        if day.weekday() < 5:
            bent = product.name == big.product and day >= won_on
            if bent and not epic:
                add(day, big.epic, "Epic", promised=True)
                epic, epic_title = made[-1].key, big.epic
            # A team starts about one issue a person and fortnight.
            if rng.randrange(10) < len(team):
                if bent and rng.randrange(100) < big.share:
                    add(day, f"Nordwind: {rng.choice(_PROMISES)}", "Story", promised=True)
                else:
                    kind = rng.choices(("Story", "Bug", "Task"), (50, 30, 20))[0]
                    add(day, f"{rng.choice(_VERBS)} {rng.choice(_THINGS)}", kind, promised=False)
        day += dt.timedelta(days=1)
    # Somebody on call has work on the last day, a Sunday: so the export reaches to the end of the last week.
    add(end, "Alert: queue above its limit", "Bug", promised=False, last=True)
    return made


def _issue(
    rng: random.Random,
    key: str,
    number: int,
    product: Product,
    team: tuple[str, ...],
    created: dt.date,
    end: dt.date,
    title: str,
    kind: str,
    promised: bool,
    epic: tuple[str, str],
    last: bool,
) -> Issue:
    person = rng.choice(team)
    waits = 0 if last else rng.choices((0, 2, 5, 12, 30), (30, 30, 20, 15, 5))[0]
    takes = 0 if last else rng.randint(1, 9 if promised else 6)
    hours = Decimal(rng.randint(2, 6)) if last else Decimal(rng.randint(8, 30 if promised else 18))
    dropped = not last and kind != "Epic" and rng.randrange(100) < 9
    works: list[Work] = []
    day = created + dt.timedelta(days=waits)
    resolved: dt.date | None = created + dt.timedelta(days=waits + takes)
    if not dropped and kind != "Epic":
        left = hours
        while left > 0 and day <= end:
            if day.weekday() < 5 or last:
                part = min(left, Decimal(rng.randint(4, 14)) / 2)
                works.append(
                    Work(
                        person if rng.random() < 0.8 else rng.choice(team),
                        day,
                        part,
                        rng.choice(("", "pairing", "review", "tests", "Rückfrage geklärt")),
                    )
                )
                left -= part
            day += dt.timedelta(days=1)
        if left > 0:
            resolved = None
        elif resolved is not None:
            resolved = max(resolved, works[-1].day)
    if kind == "Epic" or (resolved is not None and resolved > end):
        resolved = None
    started = bool(works) or kind == "Epic"
    if resolved is None:
        status, resolution = ("In Progress", "") if started else ("To Do", "")
    else:
        status, resolution = "Done", rng.choice(_DROPPED) if dropped else "Done"
    labels = [story.BIG_DEAL.label] if promised else []
    if rng.randrange(100) < 20:
        labels.append(rng.choice(("customer-request", "tech-debt", "security")))
    updated = max([created, *(work.day for work in works), *([resolved] if resolved else [])])
    return Issue(
        key=key,
        number=number,
        product=product,
        title=title,
        kind=kind,
        status=status,
        resolution=resolution,
        priority=rng.choices(("Low", "Medium", "High"), (20, 60, 20))[0],
        person=person,
        labels=tuple(labels),
        parent=epic[0] if promised else "",
        parent_title=epic[1] if promised else "",
        points=rng.choice((1, 2, 3, 5, 8)) if kind == "Story" else None,
        description=f'As promised in the contract, annex 3: "{title}".\n\n* agreed with operations\n* tested' if promised else "",
        created_on=created,
        updated_on=updated,
        resolved_on=resolved,
        works=tuple(works),
    )
