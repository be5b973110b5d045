"""What is to be done next with a customer, when and by whom."""
