"""The sample company 青禾家居 (furniture and lighting): who it is, what its customers say, and how they are played on the simulators."""
