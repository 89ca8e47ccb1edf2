-- What recurring revenue changed by each week, in five kinds, by segment, by hand under the rules of meaning that the
-- definitions promise: compared by day ends for each customer over all it has; its first positive day is new, one after a
-- pause of at most 365 days a reactivation, after a longer one new again; the last subscription lost is churn. A customer
-- that is not matched is one of its own.
--
-- Variables: since (a Monday), until (exclusive), set before with SET VARIABLE.
with span as materialized (
    -- The days of each week that are covered; weeks without any are not there, and not known.
    select d::date as week, greatest(d::date, covers_from) as starts, least((d + interval 7 day)::date, covers_to) as ends
    from range(getvariable('since'), getvariable('until'), interval 7 day) t(d),
        (select max(covers_from) as covers_from, min(covers_to) as covers_to from coverage where table_name = 'subscription_term')
    where d + interval 7 day > covers_from and d < covers_to
),
term as materialized (
    select
        coalesce(t.account_id, '?' || source || ':' || source_account_id, '#' || term_id) as customer, account_id,
        monthly_amount, started_on, ended_on
    from subscription_term t
    where status in ('active', 'past_due') and started_on < getvariable('until') and (ended_on > started_on or ended_on is null)
),
change as (
    select customer, account_id, day, sum(change) as net
    from (
        select customer, account_id, started_on as day, monthly_amount as change from term
        union all select customer, account_id, ended_on, -monthly_amount from term where ended_on < getvariable('until')
    )
    group by all
    having sum(change) <> 0
),
stock as (
    select *, sum(net) over (partition by customer order by day) as closes from change
),
seen as (
    select
        *, closes - net as opens,
        max(case when closes <= 0 and closes > net then day end) over (
            partition by customer order by day rows between unbounded preceding and 1 preceding
        ) as left_on
    from stock
),
day as (
    select
        day, case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market'
            when employees is not null then 'SMB' else '(none)' end as segment,
        sum(net) filter (opens <= 0 and closes > 0 and (left_on is null or day - left_on > 365)) as new_mrr,
        sum(net) filter (opens > 0 and closes > 0 and net > 0) as expansion_mrr,
        sum(net) filter (opens > 0 and closes > 0 and net < 0) as contraction_mrr,
        sum(net) filter (opens > 0 and closes <= 0) as churned_mrr,
        sum(net) filter (opens <= 0 and closes > 0 and day - left_on <= 365) as reactivated_mrr
    from seen left join account using (account_id)
    where day >= getvariable('since')
    group by all
),
found as (
    select week, segment, columns(d.* exclude (day, segment)) from day d join span on day >= starts and day < ends
)
select
    week as period, g.segment,
    coalesce(sum(new_mrr), 0) as new_mrr, coalesce(sum(expansion_mrr), 0) as expansion_mrr, coalesce(sum(contraction_mrr), 0) as contraction_mrr,
    coalesce(sum(churned_mrr), 0) as churned_mrr, coalesce(sum(reactivated_mrr), 0) as reactivated_mrr
from span cross join (select distinct segment from found) g
left join found f using (week, segment)
group by all
order by period, segment
