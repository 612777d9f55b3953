-- Drop a partition that no table has: ClickHouse takes this as the moment to remove old parts of which the time has passed,
-- and would else come to it some half a minute later.
ALTER TABLE $table DROP PARTITION ID 'none'
