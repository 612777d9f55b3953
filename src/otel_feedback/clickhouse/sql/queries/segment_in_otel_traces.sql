-- Question: are rows of this segment stored?
-- Parameters: {segment:String}.
-- Cost: one pass over a low-cardinality column, stopped at the first row.
SELECT 1 FROM otel_traces WHERE Segment = {segment:String} LIMIT 1
