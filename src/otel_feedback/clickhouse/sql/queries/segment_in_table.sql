-- Question: are rows of this segment in the table?
-- Parameters: {segment:String}.
-- Cost: one pass over a low-cardinality column, stopped at the first row.
SELECT 1 FROM $table WHERE Segment = {segment:String} LIMIT 1
