count() AS Ratings,
countIf(f.Label = 'positive') AS Positive,
countIf(f.Label = 'neutral') AS Neutral,
countIf(f.Label = 'negative') AS Negative
