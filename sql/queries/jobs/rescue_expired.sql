-- Make the jobs of every worker whose lease ran out ready again; answers how many.
select rescue_jobs($1::interval)
