-- Ratings from before {rated_before:DateTime('UTC')}.
Time < {rated_before:DateTime('UTC')}
