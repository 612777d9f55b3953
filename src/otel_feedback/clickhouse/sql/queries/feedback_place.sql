-- Question: where does this rating stand among those that match the filters, newest first, and which are beside it?
-- Parameters: those of the fragment feedback_matches; {at_time:Int64} Unix nanoseconds and {at_id:String}: the rating.
-- Cost: one pass over the ratings of the period, without their texts unless one is searched for.
SELECT
    count() AS Ratings,
    countIf(place > here) AS Newer,
    countIf(place = here) AS Matches,
    minIf(place, place > here) AS newer_place,
    maxIf(place, place < here) AS older_place,
    newer_place.1 AS NewerUnixNano,
    newer_place.2 AS NewerId,
    older_place.2 AS OlderId
FROM (
    SELECT
        (toUnixTimestamp64Nano(f.Time), f.FeedbackId) AS place,
        ({at_time:Int64}, {at_id:String}) AS here
    FROM feedback AS f
    WHERE $feedback_matches
)
