-- Take the events of noted ratings out of spans that stay, in a partition, {partition:String}.
-- Cost: parts that hold such spans are written anew.
ALTER TABLE otel_traces
    UPDATE
        `Events.Timestamp` = arrayFilter(
            (kept, is_noted) -> NOT is_noted,
            `Events.Timestamp`,
            arrayMap($is_noted_rating, `Events.Name`, `Events.Attributes`)
        ),
        `Events.Name` = arrayFilter(
            (kept, is_noted) -> NOT is_noted,
            `Events.Name`,
            arrayMap($is_noted_rating, `Events.Name`, `Events.Attributes`)
        ),
        `Events.Attributes` = arrayFilter(
            (kept, is_noted) -> NOT is_noted,
            `Events.Attributes`,
            arrayMap($is_noted_rating, `Events.Name`, `Events.Attributes`)
        )
    IN PARTITION ID {partition:String}
    WHERE $condition
