"""From pages of a vendor to a store: the plan, its chunks, what was revised."""
