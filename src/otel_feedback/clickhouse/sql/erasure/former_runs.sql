-- Question: which erasures of {users:Array(String)} have begun and not ended, this one among them?
-- Cost: reads the deletions under way.
SELECT DISTINCT Run FROM deletions WHERE Kind = 'user' AND Id IN {users:Array(String)}
