-- Weekly revenue, cost to serve, product margin and win rate of one segment, as an expert would write it by hand under
-- the rules of meaning that metrics.yaml promises: flows spread exactly in whole units of 1e-8 from three events a row
-- and running sums; empty, equal and reversed bounds on the first known day; rows and weeks cut to coverage; weeks
-- outside it unknown, a ratio of nothing empty; money as decimals, the quotient last.
--
-- Variables: since (a Monday), until (exclusive), set before with SET VARIABLE.
with week as materialized (
    select d::date as day, (d + interval 7 day)::date as until
    from range(getvariable('since'), getvariable('until'), interval 7 day) t(d)
),
reach as materialized (
    select
        max(covers_from) filter (table_name = 'invoice_line') as revenue_from, min(covers_to) filter (table_name = 'invoice_line') as revenue_to,
        max(covers_from) filter (table_name = 'cost_line') as cost_from, min(covers_to) filter (table_name = 'cost_line') as cost_to,
        max(covers_from) filter (table_name = 'deal') as deal_from, min(covers_to) filter (table_name = 'deal') as deal_to
    from coverage
),
segment as materialized (
    select account_id from account where employees >= 100 and employees < 1000
),
-- Revenue: u is the amount in units of 1e-8, s its sign; over n days u = s * (q * n + r). One branch for each way in
-- which the bounds may be known, so that the dates of each prune what is read.
line as materialized (
    select starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select account_id, (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, amount, service_from as starts, service_to as ends
            from invoice_line
            where kind is distinct from 'tax' and service_to > service_from and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, amount, service_from, service_from + 1
            from invoice_line
            where kind is distinct from 'tax' and (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, amount, service_to, service_to + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, amount, invoiced_on, invoiced_on + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null and service_to is null
                and invoiced_on >= getvariable('since') and invoiced_on < getvariable('until')
        )
        where account_id in (select account_id from segment)
    )
),
revenue_day as (
    select day, sum(rise) as rise, sum(rise * (day - DATE '1970-01-01')) as moment
    from (
        select starts as day, sum(s * (q + 1)) as rise from line group by 1
        union all select starts + r, -sum(s) from line group by 1
        union all select ends, -sum(s * q) from line group by 1
    )
    group by day
),
revenue_run as (
    select day, sum(rise) over (order by day) as rise, sum(moment) over (order by day) as moment from revenue_day
),
revenue_until as (
    select bound, coalesce(rise, 0) * (bound - DATE '1970-01-01') - coalesce(moment, 0) as units
    from (
        select least(greatest(day, revenue_from), revenue_to) as bound from week, reach
        union select least(greatest(until, revenue_from), revenue_to) from week, reach
    ) b
    asof left join revenue_run r on b.bound > r.day
),
-- Cost to serve, in the same way.
cost as materialized (
    select starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select account_id, (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, amount, service_from as starts, service_to as ends
            from cost_line
            where category in ('hosting', 'support', 'onboarding') and service_to > service_from and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, amount, service_from, service_from + 1
            from cost_line
            where category in ('hosting', 'support', 'onboarding') and (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, amount, service_to, service_to + 1
            from cost_line
            where category in ('hosting', 'support', 'onboarding') and service_from is null and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, amount, booked_on, booked_on + 1
            from cost_line
            where category in ('hosting', 'support', 'onboarding') and service_from is null and service_to is null
                and booked_on >= getvariable('since') and booked_on < getvariable('until')
        )
        where account_id in (select account_id from segment)
    )
),
cost_day as (
    select day, sum(rise) as rise, sum(rise * (day - DATE '1970-01-01')) as moment
    from (
        select starts as day, sum(s * (q + 1)) as rise from cost group by 1
        union all select starts + r, -sum(s) from cost group by 1
        union all select ends, -sum(s * q) from cost group by 1
    )
    group by day
),
cost_run as (
    select day, sum(rise) over (order by day) as rise, sum(moment) over (order by day) as moment from cost_day
),
cost_until as (
    select bound, coalesce(rise, 0) * (bound - DATE '1970-01-01') - coalesce(moment, 0) as units
    from (
        select least(greatest(day, cost_from), cost_to) as bound from week, reach
        union select least(greatest(until, cost_from), cost_to) from week, reach
    ) b
    asof left join cost_run r on b.bound > r.day
),
-- Deals closed, by day, then by week.
closed as materialized (
    select closed_on as day, count(*) filter (is_won) as won, count(*) filter (is_lost) as lost
    from deal
    where closed_on >= getvariable('since') and closed_on < getvariable('until') and (is_won or is_lost)
        and (kind is null or kind not in ('expansion', 'renewal')) and account_id in (select account_id from segment)
    group by 1
),
closed_week as (
    select w.day, sum(won) as won, sum(lost) as lost
    from week w, reach, closed c
    where c.day >= w.day and c.day < w.until and c.day >= deal_from and c.day < deal_to
    group by 1
),
value as (
    select
        w.day as period,
        case when w.until > revenue_from and w.day < revenue_to then (r2.units - r1.units)::decimal(38, 0) end as revenue_units,
        case when w.until > cost_from and w.day < cost_to then (c2.units - c1.units)::decimal(38, 0) end as cost_units,
        case when w.until > deal_from and w.day < deal_to then coalesce(won, 0) end as won,
        case when w.until > deal_from and w.day < deal_to then coalesce(lost, 0) end as lost
    from week w cross join reach
    join revenue_until r1 on r1.bound = least(greatest(w.day, revenue_from), revenue_to)
    join revenue_until r2 on r2.bound = least(greatest(w.until, revenue_from), revenue_to)
    join cost_until c1 on c1.bound = least(greatest(w.day, cost_from), cost_to)
    join cost_until c2 on c2.bound = least(greatest(w.until, cost_from), cost_to)
    left join closed_week d on d.day = w.day
)
select
    period,
    revenue_units * 0.00000001 as revenue,
    cost_units * 0.00000001 as cost_to_serve,
    round((revenue_units - cost_units)::double / nullif(revenue_units, 0), 10) as product_margin,
    round(won::double / nullif(won + lost, 0), 10) as win_rate
from value
order by period
