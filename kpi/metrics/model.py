"""What a checked metrics.yaml is: plain values that the query is planned from.

:mod:`kpi.metrics.definitions` makes them from the file, :mod:`kpi.metrics.expressions` makes the nodes from
text, and :mod:`kpi.metrics.query` turns them into one statement. Nothing here knows SQL or YAML.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from kpi.metrics.catalog import STANDARD, Catalog
from kpi.periods import Calendar, Grain, Period

#: Before the name of a leaf that is allocated by later months.
LAGGED: Final = "lagged "

#: What an expression yields. ``money`` is a decimal that carries the table's currency column.
Type = Literal["text", "number", "money", "day", "instant", "flag", "null"]


# Nodes of a resolved expression: names are gone, only columns and metrics are left.


@dataclass(frozen=True)
class Literal_:
    """A constant; ``value`` is bound, never pasted into SQL. Numbers are Decimal."""

    value: Decimal | str | bool | dt.date | None
    type: Type


@dataclass(frozen=True)
class Hop:
    """One many-to-one step: ``table.column`` equals ``to_table.to_column``, at most one row each."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Column:
    """A column, reached from the metric's table over ``path`` (empty for its own columns).

    ``now``: what is true of the account now, instead of what was true then (``as_of: now``).
    """

    path: tuple[Hop, ...]
    table: str
    name: str
    type: Type
    now: bool = False


@dataclass(frozen=True)
class Call:
    """An operator or function of the closed set, lower case: ``+ - * / neg = <> < <= > >= and or not in between
    like is_null case coalesce least greatest abs round lower upper trim concat length days hours year period``.

    ``case``: arguments alternate condition and value; an odd last one is the else. ``in``: the first argument
    is looked for among the others. ``between``: value, low, high (both inclusive). ``period``: the day, then a
    text literal naming the grain. ``and`` and ``or`` take two or more arguments; ``not in`` is ``not`` over ``in``,
    and keeps nulls as ``<>`` does.
    ``later``: a day and how many days after it, which only switches make.
    Where a day is needed, an instant stands as ``period(instant, 'day')``.
    """

    function: str
    arguments: tuple[Node, ...]
    type: Type


@dataclass(frozen=True)
class Bound:
    """A text of a query's filter, or several that one is looked for among, which the statement takes by name."""

    name: str
    value: str | tuple[str, ...]
    type: Type = "text"


@dataclass(frozen=True)
class Kept:
    """A split of a query for its top groups: the value of ``groups[place]`` where the group is one of those shown.

    A group with a missing value keeps it, and all others are :data:`kpi.metrics.groups.OTHER`.

    Attributes:
        top: the groups shown (:class:`kpi.metrics.ranking.Top`), a table that the planner makes.
    """

    groups: tuple[Node, ...]
    place: int
    top: Any = field(compare=False, repr=False)
    type: Type = "text"


@dataclass(frozen=True)
class Per:
    """``per(account, revenue)``: a metric's value for what the row belongs to, over all days that a query asks for.

    Attributes:
        key: what the row belongs to, as text; ``by``: the same as a split of a query, such as ``account.account_id``.
        metric: by its name.
        found: the values by key (:class:`kpi.metrics.figures.Figures`), which the planner puts here.
    """

    key: Node
    by: str
    metric: str
    found: Any = field(default=None, compare=False, repr=False)
    type: Type = "number"


# Nodes that formulas have besides Literal_ and Call.


@dataclass(frozen=True)
class MetricRef:
    """A metric by name."""

    name: str


@dataclass(frozen=True)
class Shift:
    """``previous(m, n unit)``: the same metric that much earlier."""

    inner: Node
    count: int
    unit: Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True)
class Rolling:
    """``rolling(m, n unit)``: over the n units up to and with the period's last day."""

    inner: Node
    count: int
    unit: Literal["day", "week", "month", "year"]


@dataclass(frozen=True)
class ToDate:
    """``to_date(m, unit)``: from the start of the unit that holds the period's last day, to that day."""

    inner: Node
    unit: Literal["month", "quarter", "year", "all"]


@dataclass(frozen=True)
class Total:
    """``total(m)``: over all values of the dimensions asked for, query filters kept."""

    inner: Node


@dataclass(frozen=True)
class AtStart:
    """``at_start(m, unit)``: of a flow or event its value in the first period of the unit that holds the period's last
    day; of a stock (``is_stock``, told by the leaf) at the close of the day before that unit."""

    inner: Node
    unit: Literal["month", "quarter", "year"]
    is_stock: bool = False


@dataclass(frozen=True)
class Only:
    """``only(m, condition)``: with a further filter.

    Attributes:
        condition: as written, in which names are dimensions or ``table.column``.
        on: table -> the condition seen from it, for every table that ``inner`` comes down to.
    """

    inner: Node
    condition: str
    on: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Cumulative:
    """``cumulative(m)`` of ``until:``: of all days up to a month's end."""

    inner: Node


@dataclass(frozen=True)
class Held:
    """A leaf that a kind of metric is made of, and that has no name of its own in the file."""

    leaf: Leaf

    @property
    def type(self) -> Type:
        """Its value's."""
        return "number" if self.leaf.money is None else "money"


@dataclass(frozen=True)
class Lag:
    """A cost that a formula's ``lag`` takes earlier: so many months at grains finer than a year, and at others.

    It is written as a key of the formula and stands around the metric's name. What is allocated is allocated by the
    months that it is set against.
    """

    inner: Node
    months: int
    of_years: int

    def at(self, grain: Grain) -> int:
        """How many months earlier."""
        return self.of_years if grain in ("year", "all") else self.months


#: What is written around a metric, and applies to its leaves.
Around = Shift | Rolling | ToDate | AtStart | Only | Total | Lag | Cumulative

Node = (
    Literal_ | Bound | Column | Call | MetricRef | Held | Shift | Rolling | ToDate | AtStart | Only | Total | Lag | Cumulative | Kept | Per
)

#: A day or an instant: a column, or an expression such as ``coalesce(canceled_on, ended_on)``.
Moment = Column | Call

Aggregate = Literal["sum", "count", "count_distinct", "average", "min", "max", "median", "percentile"]


@dataclass(frozen=True)
class At:
    """An event: it counts in the period that holds the day (an instant counts on its day in the calendar's zone)."""

    column: Moment


@dataclass(frozen=True)
class Over:
    """A flow, spread evenly over the days from <= day < to. ``document``: the day used when both are empty."""

    start: Moment
    end: Moment
    document: Column | None


@dataclass(frozen=True)
class During:
    """A stock: the rows with from <= day < to on the period's last day; an empty end is still open."""

    start: Moment
    end: Moment


@dataclass(frozen=True)
class Snapshot:
    """A balance that is written down now and then: of each entity the last one in the period, or the ``first``.

    ``each``: whose it is; none: all rows of a moment are one balance.
    """

    column: Moment
    each: tuple[Node, ...]
    first: bool = False


Time = At | Over | During | Snapshot


@dataclass(frozen=True)
class Target:
    """A target for the days from <= day < to; percent targets are fractions (62 % is 0.62)."""

    start: dt.date
    end: dt.date
    value: Decimal
    #: The period as written, such as ``2026-Q4``.
    period: str


@dataclass(frozen=True)
class Needs:
    """Below ``at_least`` of the formula ``of`` a value is "too few"."""

    at_least: Decimal
    of: Node


@dataclass(frozen=True)
class Where:
    """Where in the file something is defined, for messages."""

    file: str
    line: int


@dataclass(frozen=True)
class Metric:
    """What every metric has, of whatever kind.

    Attributes:
        unit: ``money``, ``percent``, ``number``, ``days``, ``hours`` or ``ratio``.
        better: which direction is good, or None where neither is.
        text: the definition as written, key by key, for ``explain``.
    """

    name: str
    label: str
    means: str
    owner: str
    unit: str
    better: Literal["up", "down"] | None
    targets: tuple[Target, ...]
    needs: Needs | None
    where: Where
    text: Mapping[str, str] = field(compare=False)


@dataclass(frozen=True)
class Leaf(Metric):
    """An aggregate of a table, at a time.

    ``value`` is None for ``count`` (rows). ``percent`` is 0 to 100, for ``percentile``. ``condition`` is the
    metric's own ``where``, resolved from ``table``.
    """

    aggregate: Aggregate
    table: str
    value: Node | None
    percent: Decimal | None
    condition: Node | None
    time: Time
    #: The currency column beside the value's money column and its twins, or None where no money is summed.
    money: Money | None
    #: Of a stock: what is taken of its change, instead of the stock.
    moved: Moved | None = None
    #: Of a stock: how much of an earlier one is left, instead of the stock.
    retained: Retained | None = None
    #: Of events: what is counted is not they, but the later events that each of them led to.
    followed: Followed | None = None
    #: Conditions of only() on a leaf that follows accounts or is allocated: like a query's filters, they see what comes of it.
    only: tuple[Node, ...] = ()
    #: Of a stock of subscriptions: the switches that concern it, with their values (``kinds/switches.py``).
    switches: tuple[tuple[str, str], ...] = ()
    #: A subscription on a free plan counts, from the customer's first paid day on.
    free_stays: bool = False
    #: How rows that lack a key are split.
    allocate: Allocate | None = None
    #: Of first events, or the first day of a stock: what became of the entity since, and what is shown of that.
    lived: Lived | None = None
    shown: Shown | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table whose rows it is made of, its own first."""
        besides = (self.followed.to.table,) if self.followed else self.lived.tables if self.lived else ()
        return tuple(dict.fromkeys((self.table, *besides)))


@dataclass(frozen=True)
class Allocate:
    """Rows that lack a key are split in proportion to another metric, month by month.

    Attributes:
        to: the tables that the keys lead to, such as account and product.
        keys: for each of them the column of the leaf's own table.
        basis: the metric by which; ``seen`` are the keys as its rows reach them.
        lags: of the formula around it: the basis is that of so many months later.
    """

    to: tuple[str, ...]
    keys: tuple[Column, ...]
    basis: Leaf
    seen: tuple[Column, ...]
    lags: tuple[Lag, ...] = ()


Movement = Literal["new", "expansion", "contraction", "churn", "reactivation", "currency", "transfer"]


@dataclass(frozen=True)
class Moved:
    """One part of a stock's change, account by account and day by day.

    ``within_days``: an account that comes back within so many days of leaving is a reactivation, later it is new.
    """

    part: Movement
    within_days: int
    #: The metric whose change it is.
    stock: str


@dataclass(frozen=True)
class Retained:
    """How much of the stock that accounts had a time ago they have now, as a share of it.

    Attributes:
        stock: the metric.
        back: how long ago, by the rules of ``previous()``; its inner node is empty.
        capped: no account counts for more than it had then.
    """

    stock: str
    back: Shift
    capped: bool


@dataclass(frozen=True)
class Followed:
    """Later events, each counted once, at the latest event before it of the same entity.

    Attributes:
        to: the later events.
        entity, to_entity: whose event a row is, of either table.
        within_days: an event led to those of its own day and of so many days after.
        strictly: both are the same moments of one table, and none follows itself.
    """

    to: Leaf
    entity: Node
    to_entity: Node
    within_days: int
    strictly: bool


@dataclass(frozen=True)
class Cumulated:
    """``cumulative(formula) >= 0``: reached at the first month's end with it, and with something gained by then.

    ``total`` and ``gains`` are of all days up to the month's end; ``gains``: what of the formula has a plus sign.
    """

    total: Node
    gains: Node | None
    sign: Literal[">=", ">"]
    least: Decimal


@dataclass(frozen=True)
class Lived:
    """From the first event of each entity to another.

    Attributes:
        each: the entity, see :func:`kpi.metrics.entities.entity`.
        until: what is waited for: events, the beginning of a stock, or a sum of all days so far.
        lost: what ends it before, for good: events, or a stock of which nothing is left.
        tables: of ``until`` and ``lost``.
        made_of: the metrics that the definition names.
    """

    each: str
    until: Leaf | Cumulated
    lost: Leaf | None
    tables: tuple[str, ...]
    made_of: tuple[str, ...] = field(default=(), compare=False)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Of ``until`` and ``lost`` those that are no sum."""
        return tuple(leaf for leaf in (self.until, self.lost) if isinstance(leaf, Leaf))


@dataclass(frozen=True)
class Shown:
    """What is shown of a cohort's curve: days (median, quartiles), a share by ``day``, or how many entities."""

    what: Literal["median", "quartile25", "quartile75", "share", "at_risk", "started", "reached", "lost", "waiting"]
    day: int | None = None
    bound: Literal["lower", "upper"] | None = None


@dataclass(frozen=True)
class Money:
    """How a money value finds its currency: the row's own column, and the source's own conversion of it.

    ``home_value`` is ``value`` with each money column replaced by its twin; used where the row's home_currency
    is the currency asked for. ``document`` is the day whose rate counts.
    """

    currency: Column
    home_value: Node | None
    home_currency: Column | None
    document: Moment


@dataclass(frozen=True)
class Formula(Metric):
    """Arithmetic over other metrics.

    ``made_of``: those that it is made of where the formula holds leaves without a name.
    """

    formula: Node
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dimension:
    """What a metric can be split by: an expression over one table, reached from a metric's table by keys."""

    name: str
    label: str
    table: str
    expression: Node
    where: Where
    #: ``now``: as the account is now; else as it was on the row's day (the columns of ``expression`` say so as well).
    as_of: Literal["then", "now"] = "then"


@dataclass(frozen=True)
class CountedSpan:
    """A source counts for ``table`` on the days from <= day < to (None: no bound)."""

    source: str
    start: dt.date | None
    end: dt.date | None


@dataclass(frozen=True)
class Section:
    """Metrics that the weekly review shows together; ``title`` is empty where there is but one section."""

    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Definitions:
    """A whole checked file; two are equal when their ``hash`` is.

    Attributes:
        hash: of the parts that change a figure or its display, hex; caches are keyed by it.
        mappings_hash: of products:, costs:, currency, calendar and the systems that know accounts, which are applied at publishing.
        catalog: the tables that they name. unseen: those of ``tables:`` that no warehouse was asked for; what stands on them is
            left out.
        sources: which systems count, for each table that says so.
        products: product name -> source -> rules; costs: category -> patterns of ledger accounts.
    """

    file: str
    hash: str
    mappings_hash: str
    north_star: str
    drivers: tuple[str, ...]
    review: tuple[Section, ...]
    calendar: Calendar
    currency: str
    sources: Mapping[str, tuple[CountedSpan, ...]]
    dimensions: Mapping[str, Dimension]
    metrics: Mapping[str, Metric]
    products: Mapping[str, Mapping[str, tuple[ProductRule, ...]]]
    costs: Mapping[str, tuple[str, ...]]
    catalog: Catalog = STANDARD
    unseen: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definitions) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)


@dataclass(frozen=True)
class ProductRule:
    """Rows of a source whose ``field`` is like ``pattern`` (``*`` any text, case ignored) are the product.

    ``field`` is empty for a plain pattern, which is matched against the row's source_product_id.
    """

    field: str
    pattern: str


@dataclass(frozen=True)
class Order:
    """What rows are sorted by: a metric, a dimension or ``period`` of the query."""

    name: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """What is asked.

    Attributes:
        metrics: names, in the order wanted.
        by: dimensions, or ``table.column``.
        where: expressions, all of which must hold; names are dimensions or ``table.column``.
        since: first day, inclusive; until: exclusive. None: as far as the data reach.
        periods: first days of the only periods wanted, such as this week and the same week last year; empty: all.
        top: so many groups with the largest value of ``top_by`` (None: of the first metric) over all days asked for
            have rows of their own, and so have those without a value; the rest is one group, "(other)".
        order: what rows are sorted by, first things first; then by period and group.
        limit: at most so many rows.
        together: each metric over the days that all of them cover.
        spans: instead of since and until the first days of periods of the grain, such as a month to date and that of last year;
            none is partial for not being the whole month.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    grain: Grain = "all"
    since: dt.date | None = None
    until: dt.date | None = None
    periods: tuple[dt.date, ...] = ()
    top: int | None = None
    top_by: str | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    together: bool = False
    spans: tuple[Period, ...] = ()
