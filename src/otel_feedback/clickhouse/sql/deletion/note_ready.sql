-- Note that all of {run:String} is noted: from now on whoever comes may complete it.
INSERT INTO deletions (Run, Kind, Id) SELECT {run:String}, 'ready', ''
