-- The days of which a table of OpenTelemetry's, {table:String}, holds rows, each as a condition. Cost: the list of parts.
SELECT concat('toYYYYMMDD(Timestamp) = ', toString(toYYYYMMDD(Day))) AS Filter
FROM (
    SELECT DISTINCT toDate(partition) AS Day
    FROM system.parts
    WHERE active AND rows > 0 AND database = currentDatabase() AND table = {table:String}
)
ORDER BY Day
