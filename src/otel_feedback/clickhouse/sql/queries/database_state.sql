-- Question: which ClickHouse is it, and what time is it there?
-- Parameters: none.
-- Cost: reads nothing.
SELECT version() AS Version, toFloat64(now64(3)) AS NowUnix
