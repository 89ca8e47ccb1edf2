"""Figures of the sample company in SQL written by hand, for DuckDB: the slow and obvious way, one join for each close."""

from __future__ import annotations

#: Retention of every week: ``{by}`` is the group, ``product`` or ``segment`` below, and ``{amount}`` what a term counts for.
#: An account stands where it was at the earlier close; 364 days are a year of weeks.
RETENTION = """
with week as (
    select d::date as day, d::date + 6 as later, d::date + 6 - 364 as earlier
    from range(date '{since}', date '{until}', interval 7 day) t(d)
),
term as (
    select coalesce(account_id, source || '/' || source_account_id) as who, account_id, product_id, monthly_amount, started_on,
        coalesce(ended_on, date '9999-12-31') as ended_on
    from subscription_term
    where status in ('active', 'past_due') and monthly_amount > 0
),
account_then as (
    select week.day, account_id,
        case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market' when employees is not null then 'SMB' end
            as segment
    from week, account_version
    where valid_from <= earlier and coalesce(valid_to, date '9999-12-31') > earlier
),
stock as (
    select week.day, side, who, {by} as g, sum(monthly_amount) as amount
    from week
    cross join (values ('now'), ('then')) s(side)
    join term on started_on <= case side when 'now' then later else earlier end
        and ended_on > case side when 'now' then later else earlier end
    left join product on product.product_id = term.product_id
    left join account_then on account_then.day = week.day and account_then.account_id = term.account_id
    group by all
),
beside as (
    select day, who, g, coalesce(sum(amount) filter (side = 'then'), 0) as had, coalesce(sum(amount) filter (side = 'now'), 0) as has
    from stock
    group by all
)
select day, g, sum(has)::double / sum(had) as nrr, sum(least(has, had))::double / sum(had) as grr,
    count(*) filter (has > 0)::double / count(*) as accounts_kept
from beside
where had > 0
group by all
"""
