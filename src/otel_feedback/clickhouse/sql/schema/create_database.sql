-- Make the database itself.
CREATE DATABASE IF NOT EXISTS $database
