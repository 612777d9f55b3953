-- Question: how many conversations of the made-up history are there?
-- Parameters: {service:String} {scope:String} what only the history's spans are marked with.
-- Cost: reads narrow columns of every span, once a start of the demo.
SELECT uniqExact(SpanAttributes['session.id']) AS Sessions
FROM otel_traces
WHERE ServiceName = {service:String} AND ScopeName = {scope:String}
