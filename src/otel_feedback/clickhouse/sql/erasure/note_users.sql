-- Note whom {run:String} is about: {users:Array(String)}.
INSERT INTO deletions (Run, Kind, Id) SELECT {run:String}, 'user', arrayJoin({users:Array(String)})
