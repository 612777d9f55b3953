-- The answers to prompts of which one answer is liked and one is not: by prompt, each in the order in which they came.
SELECT prompt, is_positive, content
FROM answer
WHERE prompt IN (SELECT prompt FROM answer GROUP BY prompt HAVING min(is_positive) != max(is_positive))
ORDER BY min(number) OVER (PARTITION BY prompt), number
