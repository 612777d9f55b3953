-- Question: which erasures of {users:Array(String)} have begun and not ended, this one among them? One that had begun to
-- remove these and others is completed for all of them; one that only counted is not taken for an order to remove others.
-- Cost: reads the deletions under way.
SELECT Run
FROM deletions
GROUP BY Run
HAVING countIf(Kind = 'user' AND Id IN {users:Array(String)}) > 0
    AND (countIf(Kind = 'user' AND Id NOT IN {users:Array(String)}) = 0 OR countIf(Kind = 'erasing') > 0)
