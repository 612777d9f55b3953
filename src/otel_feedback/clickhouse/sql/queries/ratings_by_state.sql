-- Question: how many current ratings have their trace or session, wait for it, or wait in vain?
-- Cost: one pass over the ratings' narrow columns, and over the ids of what they rate.
SELECT State, count() AS Ratings FROM feedback GROUP BY State
