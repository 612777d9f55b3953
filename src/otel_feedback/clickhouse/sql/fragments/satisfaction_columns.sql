call.Calls AS Calls,
rating.RatedCalls AS RatedCalls,
round(rating.RatedCalls / call.Calls, 3) AS ResponseRate,
rating.Ratings AS Ratings,
rating.Positive AS Positive,
rating.Negative AS Negative,
round(share_of(rating.Positive, rating.Negative), 3) AS Satisfaction,
round(low_of(rating.Positive, rating.Negative), 3) AS Low,
round(high_of(rating.Positive, rating.Negative), 3) AS High
