"""Posts that are kept to be used again: with their versions, approved by a second person, until a day on which they expire."""
