-- The noted traces, and those of which nothing is left.
TraceId IN $noted_traces OR TraceId IN $noted_carrier_traces
