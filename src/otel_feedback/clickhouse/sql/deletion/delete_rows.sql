-- Delete the rows of a partition, {partition:String}, that meet a condition; its parameters come with it.
-- Cost: parts that hold such rows are written anew, without them.
ALTER TABLE $table DELETE IN PARTITION ID {partition:String} WHERE $condition
