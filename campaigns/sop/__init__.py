"""Plans of following up: steps by days since something happened with a customer, as tasks for the rep or as messages."""
