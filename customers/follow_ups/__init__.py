"""What was said to or agreed with a customer, by whom, and the next step."""
