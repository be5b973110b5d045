"""Lists of phone numbers that employees add in their own app: cleaned, split over people and days, and what came of it."""
