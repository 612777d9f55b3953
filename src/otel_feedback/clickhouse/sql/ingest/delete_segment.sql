-- Delete the rows of a segment of which the INSERT was refused, and wait until they are gone. Other parts of the table
-- are not touched.
DELETE FROM $table WHERE Segment = {segment:String}
