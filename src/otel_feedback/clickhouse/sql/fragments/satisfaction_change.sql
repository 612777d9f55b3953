round(before, 3) AS SatisfactionBefore,
round(recent, 3) AS SatisfactionRecent,
round(recent - before, 3) AS Change,
round(recent - before - sqrt(pow(recent - low_recent, 2) + pow(high_before - before, 2)), 3) AS ChangeLow,
round(recent - before + sqrt(pow(high_recent - recent, 2) + pow(before - low_before, 2)), 3) AS ChangeHigh
