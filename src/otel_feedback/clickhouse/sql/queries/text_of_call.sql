-- Question: what does this text of an LLM call say, from a character on?
-- Parameters: {trace:String} {span:String}; {field:String}; {start:UInt64} {characters:UInt32}.
-- Cost: reads one call.
SELECT
    substringUTF8(whole, {start:UInt64}, {characters:UInt32}) AS Text,
    lengthUTF8(whole) AS Length
FROM (
    SELECT multiIf(
        {field:String} = 'Prompt', c.Prompt,
        {field:String} = 'Completion', c.Completion,
        {field:String} = 'SystemInstructions', c.SystemInstructions,
        {field:String} = 'InputMessages', c.InputMessages,
        c.OutputMessages
    ) AS whole
    FROM llm_calls AS c
    WHERE c.TraceId = {trace:String} AND c.SpanId = {span:String}
    LIMIT 1
)
