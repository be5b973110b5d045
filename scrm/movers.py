"""What can be handed over from one person to another, put together; a part of the composition root."""

from __future__ import annotations

from customers.handover.own import CustomerMover, TaskMover
from inbox.handing_over import ConversationMover, ScheduledMover

MOVERS = (CustomerMover(), ConversationMover(), TaskMover(), ScheduledMover())
"""In this order."""
