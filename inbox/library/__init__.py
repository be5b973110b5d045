"""What reps use again and again: quick replies, materials, macros."""
