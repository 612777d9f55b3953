-- Question: which deletions of what has expired have noted all that they are about, and have not ended?
-- Cost: reads one row a run.
SELECT DISTINCT Run FROM deletions WHERE Kind = 'ready'
