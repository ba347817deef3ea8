"""Plans a build: compares the project with what the database was built from."""
