-- What follows in this session is about this database.
USE $database
