-- Undo remove_old_parts_soon.
ALTER TABLE $table
    RESET SETTING old_parts_lifetime, min_rows_to_fsync_after_merge, min_compressed_bytes_to_fsync_after_merge
