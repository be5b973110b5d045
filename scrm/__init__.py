"""The kernel: knows no platform, no chat rule, no CRM rule."""
