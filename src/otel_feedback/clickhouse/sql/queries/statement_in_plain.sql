-- Question: how does ClickHouse itself read this statement, without comments and without the contents of its strings?
--   NULL where it can't.
-- Parameters: {statement:String}.
-- Cost: parses the statement; reads nothing.
SELECT replaceRegexpAll(formatQuerySingleLineOrNull({statement:String}), '\'(?:[^\'\\\\]|\\\\.|\'\')*\'', '\'\'') AS Plain
