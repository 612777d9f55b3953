-- This migration is in place. Parameters: {version:UInt32} {name:String}.
INSERT INTO schema_migrations (Version, Name) SELECT {version:UInt32}, {name:String}
