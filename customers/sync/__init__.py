"""What platforms know about customers, kept in step: the directory, relations, tags, groups; and what we want to be written there."""
