-- The same four figures as people write them when in a hurry: one row for each day of service, money as floats,
-- lines without a service period forgotten, coverage ignored. Only to show where the simplest way lies.
with revenue as (
    select date_trunc('week', day) as week, sum(amount / n) as revenue
    from (
        select l.amount, l.service_to - l.service_from as n, unnest(range(l.service_from, l.service_to, interval 1 day)) as day
        from invoice_line l join account a using (account_id)
        where l.kind <> 'tax' and a.employees >= 100 and a.employees < 1000
            and l.service_to > getvariable('since') and l.service_from < getvariable('until')
    )
    group by 1
),
cost as (
    select date_trunc('week', day) as week, sum(amount / n) as cost
    from (
        select c.amount, c.service_to - c.service_from as n, unnest(range(c.service_from, c.service_to, interval 1 day)) as day
        from cost_line c join account a using (account_id)
        where c.category in ('hosting', 'support', 'onboarding') and a.employees >= 100 and a.employees < 1000
            and c.service_to > getvariable('since') and c.service_from < getvariable('until')
    )
    group by 1
),
win as (
    select date_trunc('week', d.closed_on) as week, avg(d.is_won::int) as win_rate
    from deal d join account a using (account_id)
    where a.employees >= 100 and a.employees < 1000 and (d.kind is null or d.kind not in ('expansion', 'renewal')) and (d.is_won or d.is_lost)
    group by 1
)
select week, revenue, cost, (revenue - cost) / revenue as product_margin, win_rate
from revenue join cost using (week) join win using (week)
where week >= getvariable('since') and week < getvariable('until')
order by week
