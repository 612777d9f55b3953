-- Rows of the traces that {runs:Array(String)} have noted, and rows from before {before:DateTime('UTC')} of no trace, or of
-- one without spans.
TraceId IN (SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'trace')
OR $time < {before:DateTime('UTC')} AND (
    TraceId = ''
    OR TraceId IN (SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'trace_without_spans')
)
