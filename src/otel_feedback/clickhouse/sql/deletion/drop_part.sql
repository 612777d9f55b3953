-- Drop a part, {part:String}, of which every row is to go. It fails where a merge has taken the part in.
ALTER TABLE $table DROP PART {part:String}
