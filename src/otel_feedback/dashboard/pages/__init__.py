"""One module a page: it reads the query string, asks the database, and fills its template."""
