-- Accounting connections by the status Codat last gave.
select status, count(*) as number from connections group by status
