"""The kinds of ensembles: one file each, and what they share lies in the room above."""
