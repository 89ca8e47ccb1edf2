-- Twenty weekly figures of one segment from five tables, as an expert would write them by hand under the rules of meaning
-- that the definitions promise: each table read once for each of its dates, flows spread exactly in whole units of 1e-8
-- from three events a row and running sums, stocks on the week's last day from beginnings and ends, each customer's terms
-- merged before customers are counted, everything cut to coverage, money as decimals, quotients last.
--
-- Variables: since (a Monday), until (exclusive), set before with SET VARIABLE.
with week as materialized (
    select d::date as day, (d + interval 7 day)::date as until
    from range(getvariable('since'), getvariable('until'), interval 7 day) t(d)
),
-- The days of each week that a table covers; weeks that it doesn't cover at all are not there, and not known.
span as materialized (
    select table_name, day as week, greatest(day, covers_from) as starts, least(until, covers_to) as ends
    from week, (select table_name, max(covers_from) as covers_from, min(covers_to) as covers_to from coverage group by 1)
    where until > covers_from and day < covers_to
),
segment as materialized (
    select account_id from account where employees >= 100 and employees < 1000
),
-- Deals: opened, closed, and open on a day.
created_day as (
    select created_on as day, count(*) as deals_created
    from deal
    where created_on >= getvariable('since') and created_on < getvariable('until') and account_id in (select account_id from segment)
    group by 1
),
created as (
    select week, coalesce(sum(deals_created), 0) as deals_created
    from span left join created_day on day >= starts and day < ends
    where table_name = 'deal'
    group by 1
),
closed_day as (
    select
        closed_on as day,
        count(*) filter (is_won) as won,
        count(*) filter (is_lost) as lost,
        sum(amount) filter (is_won) as bookings,
        count(amount) filter (is_won) as priced,
        count(*) filter (is_won and (kind is null or kind not in ('expansion', 'renewal'))) as new_won,
        count(*) filter (is_lost and (kind is null or kind not in ('expansion', 'renewal'))) as new_lost
    from deal
    where closed_on >= getvariable('since') and closed_on < getvariable('until') and (is_won or is_lost)
        and account_id in (select account_id from segment)
    group by 1
),
closed as (
    select
        week, coalesce(sum(won), 0) as won, coalesce(sum(lost), 0) as lost, coalesce(sum(bookings), 0) as bookings, sum(priced) as priced,
        sum(new_won) as new_won, sum(new_lost) as new_lost
    from span left join closed_day on day >= starts and day < ends
    where table_name = 'deal'
    group by 1
),
deal_row as materialized (
    select created_on, closed_on, amount
    from deal
    where created_on < getvariable('until') and (closed_on > created_on and closed_on > getvariable('since') or closed_on is null)
        and account_id in (select account_id from segment)
),
pipeline_run as (
    select day, sum(sum(change)) over (order by day) as amount
    from (
        select created_on as day, sum(amount) as change from deal_row group by 1
        union all select closed_on, -sum(amount) from deal_row where closed_on is not null group by 1
    )
    group by day
),
pipeline as (
    select week, coalesce(amount, 0) as open_pipeline
    from (select * from span where table_name = 'deal') s asof left join pipeline_run r on s.ends > r.day
),
-- Invoices, on their date.
invoiced_day as (
    select invoiced_on as day, sum(amount) as invoiced
    from invoice_line
    where kind is distinct from 'tax' and invoiced_on >= getvariable('since') and invoiced_on < getvariable('until')
        and account_id in (select account_id from segment)
    group by 1
),
invoiced as (
    select week, coalesce(sum(invoiced), 0) as invoiced
    from span left join invoiced_day on day >= starts and day < ends
    where table_name = 'invoice_line'
    group by 1
),
-- Revenue: u is the amount in units of 1e-8, s its sign; over n days u = s * (q * n + r). One branch for each way in
-- which the bounds may be known, so that the dates of each prune what is read.
line as materialized (
    select starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, amount, service_from as starts, service_to as ends
            from invoice_line
            where kind is distinct from 'tax' and service_to > service_from
                and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, amount, service_from, service_from + 1
            from invoice_line
            where kind is distinct from 'tax' and (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, amount, service_to, service_to + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null
                and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, amount, invoiced_on, invoiced_on + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null and service_to is null
                and invoiced_on >= getvariable('since') and invoiced_on < getvariable('until')
        )
        where account_id in (select account_id from segment)
    )
),
revenue_run as (
    select day, sum(rise) over (order by day) as rise, sum(rise * (day - DATE '1970-01-01')) over (order by day) as moment
    from (
        select day, sum(rise) as rise
        from (
            select starts as day, sum(s * (q + 1)) as rise from line group by 1
            union all select starts + r, -sum(s) from line group by 1
            union all select ends, -sum(s * q) from line group by 1
        )
        group by day
    )
),
revenue_until as materialized (
    select bound, coalesce(rise, 0) * (bound - DATE '1970-01-01') - coalesce(moment, 0) as units
    from (
        select starts as bound from span where table_name = 'invoice_line'
        union select ends from span where table_name = 'invoice_line'
    ) b
    asof left join revenue_run r on b.bound > r.day
),
revenue as (
    select week, (after.units - before.units)::decimal(38, 0) as revenue
    from span join revenue_until before on before.bound = starts join revenue_until after on after.bound = ends
    where table_name = 'invoice_line'
),
-- Costs, in the same way, of three kinds: 1 to serve, 2 to win, 3 engineering.
cost as materialized (
    select kind, starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select
            case when category in ('hosting', 'support', 'onboarding') then 1 when category = 'engineering' then 3 else 2 end as kind,
            (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, category, amount, service_from as starts, service_to as ends
            from cost_line
            where service_to > service_from and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, category, amount, service_from, service_from + 1
            from cost_line
            where (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, category, amount, service_to, service_to + 1
            from cost_line
            where service_from is null and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, category, amount, booked_on, booked_on + 1
            from cost_line
            where service_from is null and service_to is null
                and booked_on >= getvariable('since') and booked_on < getvariable('until')
        )
        where category in ('hosting', 'support', 'onboarding', 'sales', 'marketing', 'engineering')
            and account_id in (select account_id from segment)
    )
),
cost_run as (
    select
        kind, day, sum(rise) over (partition by kind order by day) as rise,
        sum(rise * (day - DATE '1970-01-01')) over (partition by kind order by day) as moment
    from (
        select kind, day, sum(rise) as rise
        from (
            select kind, starts as day, sum(s * (q + 1)) as rise from cost group by 1, 2
            union all select kind, starts + r, -sum(s) from cost group by 1, 2
            union all select kind, ends, -sum(s * q) from cost group by 1, 2
        )
        group by kind, day
    )
),
cost_until as materialized (
    select b.kind, bound, coalesce(rise, 0) * (bound - DATE '1970-01-01') - coalesce(moment, 0) as units
    from (
        select k.kind, bound
        from (values (1), (2), (3)) k(kind), (
            select starts as bound from span where table_name = 'cost_line'
            union select ends from span where table_name = 'cost_line'
        )
    ) b
    asof left join cost_run r on b.kind = r.kind and b.bound > r.day
),
costs as (
    select
        week,
        sum(after.units - before.units) filter (after.kind = 1)::decimal(38, 0) as cost_to_serve,
        sum(after.units - before.units) filter (after.kind = 2)::decimal(38, 0) as cost_to_win,
        sum(after.units - before.units) filter (after.kind = 3)::decimal(38, 0) as engineering_cost
    from span
    join cost_until before on before.bound = starts
    join cost_until after on after.bound = ends and after.kind = before.kind
    where table_name = 'cost_line'
    group by 1
),
-- Subscriptions, on the week's last day.
term as materialized (
    select coalesce(account_id, source_account_id) as customer, monthly_amount, started_on, ended_on
    from subscription_term
    where status in ('active', 'past_due') and started_on < getvariable('until')
        and (ended_on > started_on and ended_on > getvariable('since') or ended_on is null)
        and account_id in (select account_id from segment)
),
mrr_run as (
    select day, sum(sum(change)) over (order by day) as mrr
    from (
        select started_on as day, sum(monthly_amount) as change from term group by 1
        union all select ended_on, -sum(monthly_amount) from term where ended_on is not null group by 1
    )
    group by day
),
mrr as (
    select week, coalesce(mrr, 0) as mrr
    from (select * from span where table_name = 'subscription_term') s asof left join mrr_run r on s.ends > r.day
),
-- A customer's terms that meet or overlap are one stay.
stay as (
    select min(started_on) as started_on, max(ended_on) as ended_on
    from (
        select customer, started_on, ended_on, count(*) filter (opens) over (partition by customer order by started_on, ended_on) as nth
        from (
            select
                customer, started_on, coalesce(ended_on, DATE '9999-12-31') as ended_on,
                coalesce(started_on > max(coalesce(ended_on, DATE '9999-12-31')) over (
                    partition by customer order by started_on, ended_on rows between unbounded preceding and 1 preceding
                ), true) as opens
            from term
            where monthly_amount > 0
        )
    )
    group by customer, nth
),
active_run as (
    select day, sum(sum(change)) over (order by day) as accounts
    from (
        select started_on as day, count(*) as change from stay group by 1
        union all select ended_on, -count(*) from stay group by 1
    )
    group by day
),
active as (
    select week, coalesce(accounts, 0) as accounts_active
    from (select * from span where table_name = 'subscription_term') s asof left join active_run r on s.ends > r.day
),
-- Payments, on the day they were taken or tried, and the day they were given back.
paid_day as (
    select paid_on as day, sum(amount) filter (status = 'paid') as collected, count(*) filter (status = 'failed') as failed
    from payment
    where paid_on >= getvariable('since') and paid_on < getvariable('until') and status in ('paid', 'failed')
        and account_id in (select account_id from segment)
    group by 1
),
paid as (
    select week, coalesce(sum(collected), 0) as collected, coalesce(sum(failed), 0) as failed
    from span left join paid_day on day >= starts and day < ends
    where table_name = 'payment'
    group by 1
),
refunded_day as (
    select refunded_on as day, sum(refunded) as refunds
    from payment
    where refunded_on >= getvariable('since') and refunded_on < getvariable('until') and account_id in (select account_id from segment)
    group by 1
),
refunded as (
    select week, coalesce(sum(refunds), 0) as refunds
    from span left join refunded_day on day >= starts and day < ends
    where table_name = 'payment'
    group by 1
)
select
    day as period,
    deals_created,
    won as deals_won,
    lost as deals_lost,
    bookings,
    bookings::double / nullif(priced, 0) as average_deal,
    new_won::double / nullif(new_won + new_lost, 0) as win_rate,
    open_pipeline,
    invoiced,
    revenue * 0.00000001 as revenue,
    cost_to_serve * 0.00000001 as cost_to_serve,
    cost_to_win * 0.00000001 as cost_to_win,
    engineering_cost * 0.00000001 as engineering_cost,
    (revenue - cost_to_serve)::double / nullif(revenue, 0) as product_margin,
    (revenue - cost_to_serve - engineering_cost)::double / nullif(revenue, 0) as margin_after_engineering,
    mrr,
    mrr * 12 as arr,
    accounts_active,
    collected,
    refunds,
    failed as payment_failures
from week
left join created on created.week = day
left join closed on closed.week = day
left join pipeline on pipeline.week = day
left join invoiced on invoiced.week = day
left join revenue on revenue.week = day
left join costs on costs.week = day
left join mrr on mrr.week = day
left join active on active.week = day
left join paid on paid.week = day
left join refunded on refunded.week = day
order by period
