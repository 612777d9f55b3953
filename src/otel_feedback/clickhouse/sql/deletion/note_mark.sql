-- Note of {run:String} that it is ready, all that has expired being noted, or that it is erasing: {mark:String}. From now on
-- whoever comes may complete it.
INSERT INTO deletions (Run, Kind, Id) SELECT {run:String}, {mark:String}, ''
