-- The weekly figures of twenty.sql that reach the product, of all customers, by product and segment, by hand under the same
-- rules: what has no product or no segment is "(none)", a group of its own; every group that occurs in any figure is there
-- in every week, with 0 where it has nothing; a customer is counted once in each group.
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
customer as materialized (
    select account_id, case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market' when employees is not null then 'SMB' end as segment
    from account
),
-- Deals: opened, closed, and open on a day.
created_day as materialized (
    select created_on as day, coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment, count(*) as deals_created
    from deal d left join customer using (account_id) left join product p using (product_id)
    where d.created_on >= getvariable('since') and d.created_on < getvariable('until')
    group by all
),
closed_day as materialized (
    select
        closed_on as day, coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment,
        count(*) filter (is_won) as won,
        count(*) filter (is_lost) as lost,
        sum(amount) filter (is_won) as bookings,
        count(amount) filter (is_won) as priced,
        count(*) filter (is_won and (kind is null or kind not in ('expansion', 'renewal'))) as new_won,
        count(*) filter (is_lost and (kind is null or kind not in ('expansion', 'renewal'))) as new_lost
    from deal d left join customer using (account_id) left join product p using (product_id)
    where closed_on >= getvariable('since') and closed_on < getvariable('until') and (is_won or is_lost)
    group by all
),
pipeline_row as materialized (
    select created_on, closed_on, coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment, amount
    from deal d left join customer using (account_id) left join product p using (product_id)
    where created_on < getvariable('until') and (closed_on > created_on and closed_on > getvariable('since') or closed_on is null)
),
pipeline_run as materialized (
    select product, segment, day, sum(sum(change)) over (partition by product, segment order by day) as open_pipeline
    from (
        select product, segment, created_on as day, sum(amount) as change from pipeline_row group by all
        union all select product, segment, closed_on, -sum(amount) from pipeline_row where closed_on is not null group by all
    )
    group by product, segment, day
),
-- Invoices, on their date.
invoiced_day as materialized (
    select invoiced_on as day, coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment, sum(amount) as invoiced
    from invoice_line l left join customer using (account_id) left join product p using (product_id)
    where kind is distinct from 'tax' and invoiced_on >= getvariable('since') and invoiced_on < getvariable('until')
    group by all
),
-- Revenue and costs: u is the amount in units of 1e-8, s its sign; over n days u = s * (q * n + r). One branch for each
-- way in which the bounds may be known, so that the dates of each prune what is read.
line as materialized (
    select product, segment, starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select
            coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment,
            (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, product_id, amount, service_from as starts, service_to as ends
            from invoice_line
            where kind is distinct from 'tax' and service_to > service_from
                and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, product_id, amount, service_from, service_from + 1
            from invoice_line
            where kind is distinct from 'tax' and (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, product_id, amount, service_to, service_to + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null
                and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, product_id, amount, invoiced_on, invoiced_on + 1
            from invoice_line
            where kind is distinct from 'tax' and service_from is null and service_to is null
                and invoiced_on >= getvariable('since') and invoiced_on < getvariable('until')
        )
        left join customer using (account_id) left join product p using (product_id)
    )
),
cost as materialized (
    select kind, product, segment, starts, ends, case when u < 0 then -1 else 1 end as s, abs(u) // n as q, (abs(u) % n)::int as r
    from (
        select
            case when category in ('hosting', 'support', 'onboarding') then 'to serve' when category = 'engineering' then category else 'to win' end as kind,
            coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment,
            (amount * 10000)::bigint * 10000 as u, starts, ends, ends - starts as n
        from (
            select account_id, product_id, category, amount, service_from as starts, service_to as ends
            from cost_line
            where service_to > service_from and service_from < getvariable('until') and service_to > getvariable('since')
            union all
            select account_id, product_id, category, amount, service_from, service_from + 1
            from cost_line
            where (service_to <= service_from or service_to is null)
                and service_from >= getvariable('since') and service_from < getvariable('until')
            union all
            select account_id, product_id, category, amount, service_to, service_to + 1
            from cost_line
            where service_from is null and service_to >= getvariable('since') and service_to < getvariable('until')
            union all
            select account_id, product_id, category, amount, booked_on, booked_on + 1
            from cost_line
            where service_from is null and service_to is null
                and booked_on >= getvariable('since') and booked_on < getvariable('until')
        )
        left join customer using (account_id) left join product p using (product_id)
        where category in ('hosting', 'support', 'onboarding', 'sales', 'marketing', 'engineering')
    )
),
slope as (
    select 'revenue' as kind, product, segment, starts as day, sum(s * (q + 1)) as rise from line group by all
    union all select 'revenue', product, segment, starts + r, -sum(s) from line group by all
    union all select 'revenue', product, segment, ends, -sum(s * q) from line group by all
    union all select kind, product, segment, starts, sum(s * (q + 1)) from cost group by all
    union all select kind, product, segment, starts + r, -sum(s) from cost group by all
    union all select kind, product, segment, ends, -sum(s * q) from cost group by all
),
flow_run as materialized (
    select
        kind, product, segment, day, sum(sum(rise)) over (partition by kind, product, segment order by day) as rise,
        sum(sum(rise) * (day - DATE '1970-01-01')) over (partition by kind, product, segment order by day) as moment
    from slope
    group by kind, product, segment, day
),
flow_of as materialized (
    select distinct kind, case when kind = 'revenue' then 'invoice_line' else 'cost_line' end as table_name, product, segment from flow_run
),
flow_until as (
    select b.kind, b.product, b.segment, bound, coalesce(rise, 0) * (bound - DATE '1970-01-01') - coalesce(moment, 0) as units
    from (
        select kind, product, segment, starts as bound from flow_of join span using (table_name)
        union select kind, product, segment, ends from flow_of join span using (table_name)
    ) b
    asof left join flow_run r on b.kind = r.kind and b.product = r.product and b.segment = r.segment and b.bound > r.day
),
flow as (
    select o.kind, week, o.product, o.segment, (after.units - before.units)::decimal(38, 0) as units
    from flow_of o
    join span using (table_name)
    join flow_until before on before.kind = o.kind and before.product = o.product and before.segment = o.segment and before.bound = starts
    join flow_until after on after.kind = o.kind and after.product = o.product and after.segment = o.segment and after.bound = ends
),
-- Subscriptions, on the week's last day.
term as materialized (
    select
        coalesce(t.account_id, source_account_id) as customer, coalesce(p.name, '(none)') as product, coalesce(segment, '(none)') as segment,
        monthly_amount, started_on, ended_on
    from subscription_term t left join customer using (account_id) left join product p using (product_id)
    where status in ('active', 'past_due') and started_on < getvariable('until')
        and (ended_on > started_on and ended_on > getvariable('since') or ended_on is null)
),
mrr_run as materialized (
    select product, segment, day, sum(sum(change)) over (partition by product, segment order by day) as mrr
    from (
        select product, segment, started_on as day, sum(monthly_amount) as change from term group by all
        union all select product, segment, ended_on, -sum(monthly_amount) from term where ended_on is not null group by all
    )
    group by product, segment, day
),
-- A customer's terms of one group that meet or overlap are one stay.
stay as materialized (
    select product, segment, min(started_on) as started_on, max(ended_on) as ended_on
    from (
        select
            customer, product, segment, started_on, ended_on,
            count(*) filter (opens) over (partition by customer, product, segment order by started_on, ended_on) as nth
        from (
            select
                customer, product, segment, started_on, coalesce(ended_on, DATE '9999-12-31') as ended_on,
                coalesce(started_on > max(coalesce(ended_on, DATE '9999-12-31')) over (
                    partition by customer, product, segment order by started_on, ended_on rows between unbounded preceding and 1 preceding
                ), true) as opens
            from term
            where monthly_amount > 0
        )
    )
    group by customer, product, segment, nth
),
active_run as materialized (
    select product, segment, day, sum(sum(change)) over (partition by product, segment order by day) as accounts_active
    from (
        select product, segment, started_on as day, count(*) as change from stay group by all
        union all select product, segment, ended_on, -count(*) from stay group by all
    )
    group by product, segment, day
),
-- Everything as rows of week and group, added up.
found as (
    select week, product, segment, deals_created from created_day join span on table_name = 'deal' and day >= starts and day < ends
    union all by name
    select week, product, segment, won, lost, bookings, priced, new_won, new_lost
    from closed_day join span on table_name = 'deal' and day >= starts and day < ends
    union all by name
    select week, g.product, g.segment, open_pipeline
    from (select week, ends, product, segment from span, (select distinct product, segment from pipeline_run) where table_name = 'deal') g
    asof join pipeline_run r on g.product = r.product and g.segment = r.segment and g.ends > r.day
    union all by name
    select week, product, segment, invoiced from invoiced_day join span on table_name = 'invoice_line' and day >= starts and day < ends
    union all by name
    select
        week, product, segment,
        case when kind = 'revenue' then units end as revenue,
        case when kind = 'to serve' then units end as cost_to_serve,
        case when kind = 'to win' then units end as cost_to_win,
        case when kind = 'engineering' then units end as engineering_cost
    from flow
    union all by name
    select week, g.product, g.segment, mrr
    from (select week, ends, product, segment from span, (select distinct product, segment from mrr_run) where table_name = 'subscription_term') g
    asof join mrr_run r on g.product = r.product and g.segment = r.segment and g.ends > r.day
    union all by name
    select week, g.product, g.segment, accounts_active
    from (select week, ends, product, segment from span, (select distinct product, segment from active_run) where table_name = 'subscription_term') g
    asof join active_run r on g.product = r.product and g.segment = r.segment and g.ends > r.day
),
summed as materialized (
    select week, product, segment, sum(columns(* exclude (week, product, segment))) from found group by all
),
known as (
    select
        day as week,
        coalesce(bool_or(table_name = 'deal'), false) as of_deals,
        coalesce(bool_or(table_name = 'invoice_line'), false) as of_invoices,
        coalesce(bool_or(table_name = 'cost_line'), false) as of_costs,
        coalesce(bool_or(table_name = 'subscription_term'), false) as of_terms
    from week left join span on week = day
    group by 1
),
value as (
    select
        k.week, g.product, g.segment,
        case when of_deals then coalesce(deals_created, 0) end as deals_created,
        case when of_deals then coalesce(won, 0) end as won,
        case when of_deals then coalesce(lost, 0) end as lost,
        case when of_deals then coalesce(bookings, 0) end as bookings,
        priced, new_won, new_lost,
        case when of_deals then coalesce(open_pipeline, 0) end as open_pipeline,
        case when of_invoices then coalesce(invoiced, 0) end as invoiced,
        case when of_invoices then coalesce(revenue, 0) end as revenue,
        case when of_costs then coalesce(cost_to_serve, 0) end as cost_to_serve,
        case when of_costs then coalesce(cost_to_win, 0) end as cost_to_win,
        case when of_costs then coalesce(engineering_cost, 0) end as engineering_cost,
        case when of_terms then coalesce(mrr, 0) end as mrr,
        case when of_terms then coalesce(accounts_active, 0) end as accounts_active
    from known k
    cross join (select distinct product, segment from summed) g
    left join summed s on s.week = k.week and s.product = g.product and s.segment = g.segment
)
select
    week as period,
    product,
    segment,
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
    accounts_active
from value
order by period, product, segment
