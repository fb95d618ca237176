"""Pages for people, and the typed contents of the file they are made from."""
