-- Net retention of recurring revenue after a year, each week by segment, by hand under the rules of meaning that the
-- definitions promise: of the customers that had any at the close 364 days before the week's last day, what they have at
-- the later close, as a share of what they had at the earlier. A week of closes is a number, and what a customer has
-- changes at a few of them: work grows with terms, not with terms times weeks.
--
-- Variables: since (a Monday), until (exclusive), set before with SET VARIABLE.
with pair as materialized (
    -- Both closes, as the first days after, of each week for which both are covered.
    select row_number() over (order by week) - 1 as nth, week, least(ends, covers_to) as later, least(ends - 364, covers_to) as earlier
    from (
        select d::date as week, (d + interval 7 day)::date as ends, covers_from, covers_to
        from range(getvariable('since'), getvariable('until'), interval 7 day) t(d),
            (select max(covers_from) as covers_from, min(covers_to) as covers_to from coverage where table_name = 'subscription_term')
    )
    where ends > covers_from and week < covers_to and ends - 364 > covers_from
),
reach as materialized (
    select min(earlier) - 1 as first, max(later) as last, count(*) as pairs from pair
),
-- For each day the number of the first pair whose later, and whose earlier close sees what happened on it.
step as materialized (
    select day, count(*) filter (later <= day) as later, count(*) filter (earlier <= day) as earlier
    from (select unnest(range(first, last + interval 1 day, interval 1 day))::date as day from reach), pair
    group by 1
),
term as materialized (
    select
        coalesce(account_id, '?' || source || ':' || source_account_id, '#' || term_id) as customer, account_id, monthly_amount as amount,
        greatest(started_on, first) as starts, least(coalesce(ended_on, last), last) as ends
    from subscription_term, reach
    where status in ('active', 'past_due') and started_on < last and (ended_on > started_on and ended_on > first or ended_on is null)
),
placed as materialized (
    select customer, account_id, amount, b.later as has_from, e.later as has_to, b.earlier as had_from, e.earlier as had_to
    from term join step b on b.day = starts join step e on e.day = ends
),
change as (
    select customer, account_id, nth, sum(has) as has, sum(had) as had
    from (
        select customer, account_id, has_from as nth, amount as has, 0 as had from placed where has_from < has_to
        union all select customer, account_id, has_to, -amount, 0 from placed where has_from < has_to
        union all select customer, account_id, had_from, 0, amount from placed where had_from < had_to
        union all select customer, account_id, had_to, 0, -amount from placed where had_from < had_to
    )
    where nth < (select pairs from reach)
    group by all
),
standing as (
    select
        account_id, nth, has, had, sum(has) over (partition by customer order by nth) as has_now,
        sum(had) over (partition by customer order by nth) as had_now
    from change
),
-- What the share's two sides change by at each pair.
turn as (
    select
        nth, case when employees >= 1000 then 'Enterprise' when employees >= 100 then 'Mid-market'
            when employees is not null then 'SMB' else '(none)' end as segment,
        sum(case when had_now > 0 then has_now else 0 end - case when had_now > had then has_now - has else 0 end) as kept,
        sum(case when had_now > 0 then had_now else 0 end - case when had_now > had then had_now - had else 0 end) as of
    from standing left join account using (account_id)
    group by all
),
running as (
    select segment, week, sum(kept) over (partition by segment order by nth) as kept, sum(of) over (partition by segment order by nth) as of
    from (select segment, nth, week from (select distinct segment from turn), pair) left join turn using (segment, nth)
)
select week as period, segment, kept::double / nullif(of, 0) as nrr from running order by period, segment
