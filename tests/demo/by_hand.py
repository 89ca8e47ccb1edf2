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

#: For each customer the first day of a paid term, the last day of the first month by which it has paid for what it cost to win
#: and to serve it, and the day on which it had nothing left. Costs without a customer are split by the shares of their month.
#: A month is a row for every line that touches it; shares are doubles, which a sum of some thousand euros doesn't notice.
LIVES = """
with month as (
    select d::date as first, (d + interval 1 month)::date as after
    from range(date '{begin}', date '{end}', interval 1 month) t(d)
),
line as (
    select 'revenue' as what, coalesce(account_id, '?' || source || ':' || source_account_id) as who, account_id, product_id, true as named,
        amount, service_from as f, service_to as t, invoiced_on as document
    from invoice_line where kind <> 'tax'
    union all
    select case when category in ('sales', 'marketing') then 'win' else 'serve' end,
        coalesce(account_id, '?' || source || ':' || source_account_id), account_id, product_id,
        account_id is not null or source_account_id is not null, amount, service_from, service_to, booked_on
    from cost_line where category in ('hosting', 'support', 'onboarding', 'sales', 'marketing')
),
dated as (
    select *, coalesce(f, t, document) as starts, case when f < t then t else coalesce(f, t, document) + 1 end as ends from line
),
of_month as (
    select what, who, account_id, product_id, named, month.first,
        sum(amount::double * (least(ends, after) - greatest(starts, first)) / (ends - starts)) as amount
    from dated join month on starts < after and ends > first
    group by all
),
earned as (select first, account_id, product_id, sum(amount) as w from of_month where what = 'revenue' group by all having w > 0),
won as (
    select date_trunc('month', closed_on)::date as first, account_id, count(*) as w
    from deal where is_won and coalesce(kind, '') not in ('expansion', 'renewal') group by all
),
lacking as (select what, first, product_id, sum(amount) as amount from of_month where not named group by all),
split as (
    -- Of a product's cost those who bought it, of a cost without a product all.
    select 'serve' as what, l.first, e.account_id, sum(l.amount * e.w / (
        select sum(w) from earned x where x.first = l.first and (l.product_id is null or x.product_id = l.product_id)
    )) as amount
    from lacking l join earned e on e.first = l.first and (l.product_id is null or e.product_id = l.product_id)
    where l.what = 'serve' group by all
    union all
    select 'win', l.first, won.account_id, sum(l.amount * won.w / (select sum(w) from won x where x.first = l.first))
    from lacking l join won on won.first = l.first
    where l.what = 'win' group by all
),
flow as (
    select who, first, case when what = 'revenue' then amount else 0 end as came,
        case when what = 'revenue' then amount else -amount end as net
    from of_month where who is not null
    union all
    select account_id, first, 0, -amount from split where account_id is not null
),
term as (
    select coalesce(account_id, '?' || source || ':' || source_account_id) as who, started_on,
        coalesce(ended_on, date '9999-12-31') as ended_on
    from subscription_term where status in ('active', 'past_due') and monthly_amount > 0
),
start as (select who, min(started_on) as day from term group by all),
so_far as (
    select start.who, month.after - 1 as day, coalesce(sum(net), 0) as net, coalesce(sum(came), 0) as came
    from start cross join month left join flow on flow.who = start.who and flow.first <= month.first
    where month.after - 1 >= start.day and month.after <= date '{end}'
    group by all
),
even as (select who, min(day) as day from so_far where net >= 0 and came > 0 group by all),
gone as (
    select term.who, min(term.ended_on) as day
    from term join start using (who)
    where term.ended_on > start.day and term.ended_on < date '9999-12-31'
        and not exists (select 1 from term o where o.who = term.who and o.started_on <= term.ended_on and o.ended_on > term.ended_on)
    group by all
)
select start.who, start.day as start, even.day as even, gone.day as gone
from start left join even using (who) left join gone using (who)
"""
