-- Question: which deletions ended before they had removed anything, or while they were being forgotten? An erasure notes whom
-- it is about before anything else.
-- Cost: reads the deletions under way; mostly none.
SELECT Run
FROM deletions
GROUP BY Run
HAVING max(Time) < now() - toIntervalDay(1) AND countIf(Kind IN ('ready', 'erasing')) = 0
    OR startsWith(Run, 'erasure-') AND countIf(Kind = 'user') = 0
