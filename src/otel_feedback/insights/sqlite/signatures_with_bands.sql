-- The signatures that share a band with a new text; the parameter is a JSON array of its bands' digests.
SELECT signature FROM band WHERE digest IN (SELECT value FROM json_each(?))
