"""What greets a new contact: chosen beforehand, sent within seconds of the event, once."""
