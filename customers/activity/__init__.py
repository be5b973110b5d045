"""Who followed up what, by day, week and month: figures that are counted from the rows each time they are asked for."""
