startsWith(SpanName, 'user_feedback ') AND has(`Events.Name`, 'gen_ai.evaluation.result')
