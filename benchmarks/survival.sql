-- Time to profitability, each week by segment, by hand under the rules of meaning that the definitions promise: of the
-- customers whose first paid term began in the 24 months before the week's end, the days by which half have paid for
-- what they cost, as known at that end, with those who left as a competing end (Aalen and Johansen) and those who wait as
-- such. A line meets the months that it touches, in whole units of 1e-8; what a customer has so far changes at these only.
--
-- Variables: since (a Monday), until (exclusive), set before with SET VARIABLE.
with reach as materialized (
    select max(covers_from) as begins, min(covers_to) as ends
    from coverage where table_name in ('subscription_term', 'invoice_line', 'cost_line')
),
week as materialized (
    select d::date as week, after, greatest((after - interval 24 month)::date, begins) as first
    from (select d, least((d + interval 7 day)::date, ends) as after, begins from range(getvariable('since'), getvariable('until'), interval 7 day) t(d), reach)
),
term as materialized (
    select
        coalesce(account_id, '?' || source || ':' || source_account_id) as customer, account_id, started_on,
        case when ended_on > started_on then ended_on when ended_on is not null then started_on end as ended_on, term_id
    from subscription_term, reach
    where status in ('active', 'past_due') and monthly_amount > 0 and started_on < ends
),
start as materialized (
    select customer, day, (year(day) * 12 + month(day))::int as month, segment
    from (
        select customer, min(started_on) as day, arg_min(account_id, (started_on, term_id)) as account_id
        from term where customer is not null group by 1
    ) left join (
        select account_id, case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market'
            when employees is not null then 'SMB' end as segment
        from account
    ) using (account_id), reach
    where day >= begins
),
line as (
    select coalesce(account_id, '?' || source || ':' || source_account_id) as customer, true as earned, amount, service_from as f, service_to as t, invoiced_on as d
    from invoice_line where kind is distinct from 'tax'
    union all
    select coalesce(account_id, '?' || source || ':' || source_account_id), false, -amount, service_from, service_to, booked_on
    from cost_line where category in ('hosting', 'support', 'onboarding', 'sales', 'marketing')
),
dated as (
    select customer, earned, (amount * 10000)::bigint as amount, starts, greatest(starts, begins) as first, least(after, ends) as last, after - starts as days
    from (
        select customer, earned, amount, coalesce(f, t, d) as starts, case when f < t then t else coalesce(f, t, d) + 1 end as after
        from line where customer in (select customer from start)
    ), reach
    where starts < ends and after > begins
),
-- Of |amount| = q·n + r the first k days carry q·k + min(k, r).
piece as (
    select
        customer, earned, month, sign(amount) as sign, abs(amount) * 10000 // days as q, abs(amount) * 10000 % days as r,
        greatest(first, make_date((month - 1) // 12, (month - 1) % 12 + 1, 1)) - starts as a,
        least(last, make_date(month // 12, month % 12 + 1, 1)) - starts as b
    from (
        select *, unnest(range((year(first) * 12 + month(first))::int, (year(last - 1) * 12 + month(last - 1))::int + 1))::int as month from dated
    )
),
of_month as (
    select customer, month, sum(units) as net, sum(case when earned then units end) as came
    from (select customer, earned, month, sign * (q * (b - a) + least(b, r) - least(a, r)) as units from piece)
    group by 1, 2
),
so_far as (
    select
        customer, month, sum(net) over own as net, sum(came) over own as came, lead(month) over (partition by customer order by month) as next
    from of_month
    window own as (partition by customer order by month)
),
even as (
    select customer, min(day) as day
    from (
        select customer, make_date(greatest(so_far.month, start.month) // 12, greatest(so_far.month, start.month) % 12 + 1, 1) - 1 as day
        from so_far join start using (customer)
        where net >= 0 and came > 0 and (next is null or next > start.month)
    ), reach
    where day < ends
    group by 1
),
standing as (
    select customer, day, net, sum(net) over (partition by customer order by day) as now
    from (
        select customer, day, sum(n) as net
        from (
            select customer, started_on as day, 1 as n from term where ended_on is null or ended_on > started_on
            union all select customer, ended_on, -1 from term where ended_on > started_on
        )
        group by 1, 2
    )
),
gone as (
    select customer, min(standing.day) as day
    from standing join start using (customer)
    where now <= 0 and now - net > 0 and standing.day > start.day
    group by 1
),
life as materialized (
    select segment, start.day as start, least(even.day, gone.day) as ended, even.day is not null and even.day <= coalesce(gone.day, even.day) as reached
    from start left join even using (customer) left join gone using (customer)
),
seen as (
    select
        week, segment, case when ended < after then ended else after - 1 end - start as t, count(*) as here,
        count(*) filter (ended < after and reached) as r, count(*) filter (ended < after) as d
    from life join week on start >= first and start < after
    group by 1, 2, 3
),
at_risk as (select *, sum(here) over (partition by week, segment order by t desc) as n from seen),
staying as (
    select *, exp(coalesce(sum(case when n > d then ln((n - d) / n) else 0 end)
        over (partition by week, segment order by t rows between unbounded preceding and 1 preceding), 0)) as s
    from at_risk
),
curve as (select week, segment, t, sum(s * r / n) over (partition by week, segment order by t) as share from staying)
select week as period, segment, min(t) filter (round(share, 10) >= 0.5) as time_to_profitability
from curve group by 1, 2
union all
-- A week before which nobody of a segment started.
select week, segment, null from (select distinct segment from life), week
where (week, coalesce(segment, '')) not in (select (week, coalesce(segment, '')) from curve)
order by 1, 2
