"""The seven sections of the study report, one file each: from a result to what a page needs."""
