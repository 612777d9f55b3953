-- Question: which deletions ended long ago before they had noted all? An erasure, which names a user, waits to be run again.
-- Cost: reads the deletions under way; mostly none.
SELECT Run
FROM deletions
GROUP BY Run
HAVING max(Time) < now() - toIntervalDay(1) AND countIf(Kind IN ('ready', 'user')) = 0
