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

#: What it costs to win a customer and the months until it is earned back, by month and segment: the sales and marketing of the
#: month before, none of which names a customer, follow the new customers of the month; costs to serve without a customer or
#: product follow the revenue of theirs. A line is joined to every month that it touches; shares are doubles. Segments never
#: change in the sample.
CAC = """
with month as (
    select d::date as day, (d + interval 1 month)::date as after, (d - interval 1 month)::date as before
    from range(date '{since}', date '{until}', interval 1 month) t(d)
),
place as (
    select account_id,
        case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market' when employees is not null then 'SMB' end
            as segment
    from account
),
line as (
    select 'revenue' as what, account_id, product_id, true as named, amount, coalesce(service_from, service_to, invoiced_on) as f,
        case when service_from < service_to then service_to else coalesce(service_from, service_to, invoiced_on) + 1 end as t
    from invoice_line where kind <> 'tax'
    union all
    select case when category in ('sales', 'marketing') then 'win' else 'serve' end, account_id, product_id,
        account_id is not null or source_account_id is not null, amount,
        coalesce(service_from, service_to, booked_on),
        case when service_from < service_to then service_to else coalesce(service_from, service_to, booked_on) + 1 end
    from cost_line where category in ('sales', 'marketing', 'hosting', 'support', 'onboarding')
),
spread as (
    select what, day, account_id, product_id, named,
        sum(amount::double * date_diff('day', greatest(f, day), least(t, after)) / date_diff('day', f, t)) as amount
    from line join (select before as day, day as after from month union select day, after from month) m on f < after and t > day
    group by all
),
weight as (
    select day, account_id, product_id, amount as w from spread where what = 'revenue' and amount > 0
),
served as (
    select day, account_id, amount from spread where what = 'serve' and named and product_id is not null
    union all
    select c.day, w.account_id, c.amount * w.w / sum(w.w) over (partition by c.day, c.named, c.account_id, c.product_id)
    from spread c join weight w on w.day = c.day
        and (not c.named or c.account_id is not distinct from w.account_id) and (c.product_id is null or c.product_id = w.product_id)
    where c.what = 'serve' and (not c.named or c.product_id is null)
),
margin as (
    select day, segment, sum(amount) filter (what = 'revenue') as revenue, sum(amount) filter (what = 'serve') as cost
    from (
        select what, day, account_id, amount from spread where what = 'revenue'
        union all select 'serve', day, account_id, amount from served
    ) left join place using (account_id)
    group by all
),
won as (
    select date_trunc('month', closed_on)::date as day, segment, count(*) as n
    from deal left join place using (account_id)
    where is_won and (kind is null or kind not in ('expansion', 'renewal'))
    group by all
),
change as (
    select who, account_id, day, sum(delta) as delta
    from (
        select coalesce(account_id, source || '/' || source_account_id) as who, account_id, unnest([started_on, ended_on]) as day,
            unnest([monthly_amount, -monthly_amount]) as delta
        from subscription_term
        where status in ('active', 'past_due') and (ended_on is null or ended_on > started_on)
    )
    where day is not null
    group by all
),
close as (
    select *, sum(delta) over (partition by who order by day) as closes from change
),
life as (
    select *, closes - delta as opens, max(day) filter (closes = 0 and closes - delta > 0)
        over (partition by who order by day rows between unbounded preceding and 1 preceding) as gone
    from (select *, closes - delta as was from close)
),
begun as (
    select date_trunc('month', day)::date as day, segment, sum(delta) as amount
    from life left join place using (account_id)
    where opens = 0 and closes > 0 and (gone is null or day - gone > 365)
    group by all
)
select month.day, g.segment as g,
    win.amount * g.n / sum(g.n) over (partition by month.day) / g.n as cac,
    win.amount / sum(g.n) over (partition by month.day) / (begun.amount / g.n * (margin.revenue - margin.cost) / margin.revenue) as payback
from month
join won g on g.day = month.day
join (select day, sum(amount) as amount from spread where what = 'win' group by all) win on win.day = month.before
left join begun on begun.day = month.day and begun.segment is not distinct from g.segment
left join margin on margin.day = month.day and margin.segment is not distinct from g.segment
"""
