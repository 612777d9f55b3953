t.TraceId = {trace:String}
AND t.SpanId = {span:String}
AND t.Timestamp >= first_moment
AND t.Timestamp <= last_moment + INTERVAL 1 SECOND
