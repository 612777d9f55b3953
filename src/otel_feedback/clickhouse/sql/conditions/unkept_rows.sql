-- Rows from before {before:DateTime('UTC')} of traces that {run:String} has not noted as kept; they may have newer spans.
$time < {before:DateTime('UTC')}
AND TraceId != ''
AND TraceId NOT IN (SELECT Id FROM deletions WHERE Run = {run:String} AND Kind = 'kept')
