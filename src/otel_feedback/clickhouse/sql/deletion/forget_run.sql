-- Forget what {run:String} is about; it has ended.
ALTER TABLE deletions DROP PARTITION {run:String}
