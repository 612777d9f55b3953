share_of(PositiveBefore, NegativeBefore) AS before,
low_of(PositiveBefore, NegativeBefore) AS low_before,
high_of(PositiveBefore, NegativeBefore) AS high_before,
share_of(PositiveRecent, NegativeRecent) AS recent,
low_of(PositiveRecent, NegativeRecent) AS low_recent,
high_of(PositiveRecent, NegativeRecent) AS high_recent
