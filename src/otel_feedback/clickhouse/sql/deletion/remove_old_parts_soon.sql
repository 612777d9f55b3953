-- Remove what is deleted from the disk within seconds, not after 8 minutes. ClickHouse waits so long because what it
-- writes in place of a part may not have reached the disk; so that is fsynced meanwhile.
ALTER TABLE $table MODIFY SETTING
    old_parts_lifetime = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1
