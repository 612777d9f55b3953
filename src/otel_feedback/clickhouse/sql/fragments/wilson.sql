-- The share of people who were for it, and both ends of its Wilson 95 % interval. NULL where nobody said either.
(positive, negative) -> positive / nullIf(positive + negative, 0) AS share_of,
(positive, negative) -> pow(positive, 2) / nullIf(positive + negative, 0) / (
    positive + 1.920729410347062
    + 1.959963984540054 * sqrt(positive * negative / nullIf(positive + negative, 0) + 0.960364705173531)
) AS low_of,
(positive, negative) -> (
    positive + 1.920729410347062
    + 1.959963984540054 * sqrt(positive * negative / nullIf(positive + negative, 0) + 0.960364705173531)
) / (positive + negative + 3.841458820694124) AS high_of
