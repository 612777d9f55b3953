startsWith(SpanName, 'user_feedback ') AND has(`Events.Name`, 'gen_ai.evaluation.result') OR SpanName = 'gen_ai.evaluation.result'
