SELECT Label, Comment, round(Duration / 1e9, 2) AS Seconds, TotalTokens, Prompt, Completion
FROM rated_llm_calls
ORDER BY RatingTime DESC
LIMIT 5
