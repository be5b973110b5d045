"""What the service counts, for Prometheus. Labels are few and never come from customers."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

WEBHOOKS = Counter("scrm_webhooks_total", "Webhook requests by platform and outcome", ["provider", "outcome"])
WEBHOOK_BATCH = Histogram(
    "scrm_webhook_commit_events", "Events stored by one commit", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
EVENTS = Counter("scrm_events_total", "Inbound events handled, by their final state", ["state"])
EVENT_BATCH_SECONDS = Histogram("scrm_event_batch_seconds", "Time to handle one batch of inbound events")
MESSAGES = Counter("scrm_messages_total", "Messages written, by direction", ["direction"])
SENDS = Counter("scrm_sends_total", "Attempts to send, by outcome", ["outcome"])
SEND_SECONDS = Histogram("scrm_send_seconds", "Time of one call to a platform")
PULLS = Counter("scrm_pulls_total", "Pages pulled, by outcome", ["outcome"])
ARCHIVE_RECORDS = Counter("scrm_archive_records_total", "Records of chat archives, by what became of them", ["outcome"])
AUDIT_HITS = Counter("scrm_audit_hits_total", "Messages that a rule of the audit found")
RETENTION_REMOVED = Counter("scrm_retention_removed_total", "What rules of retention removed", ["kind"])
BLOBS_REMOVED = Counter("scrm_blobs_removed_total", "Files removed that nobody referred to any more")
TRAIL_LATE = Counter("scrm_trail_lost_total", "Views that could not be written to the trail before the process ended")
PAYMENTS = Counter("scrm_payments_total", "Payments written down, by where they were seen", ["source"])
JOBS = Counter("scrm_jobs_total", "Jobs run, by kind and outcome", ["kind", "outcome"])
SOCKETS = Gauge("scrm_sockets", "Browsers connected to this process")
PUSHES = Counter("scrm_pushes_total", "Frames pushed to browsers")
REQUESTS = Histogram("scrm_http_seconds", "Time to answer API requests", ["method", "route", "status"])
LOOP_FAILURES = Counter("scrm_loop_failures_total", "Rounds of a background loop that failed", ["loop"])
BACKLOG = Gauge("scrm_backlog", "Rows that wait, by queue", ["queue"])
GREETINGS = Counter("scrm_greetings_total", "Greetings of new contacts, by what became of them", ["state"])
GREETING_SECONDS = Histogram(
    "scrm_greeting_seconds", "From a new contact to the greeting", buckets=(0.5, 1, 2, 3, 5, 8, 12, 16, 20, 30)
)
NOTICE_CARDS = Counter(
    "scrm_notice_cards_total", "Cards to the company's own people, by what became of them", ["state"]
)
SYNC_LOOKS = Counter(
    "scrm_sync_looks_total", "Contacts, groups, tags, directories looked at on platforms", ["kind", "outcome"]
)
SYNC_RUNS = Counter("scrm_sync_runs_total", "Comparisons of everything with a platform, by outcome", ["outcome"])
SYNC_WRITES = Counter("scrm_sync_writes_total", "Remarks and tags written to platforms, by outcome", ["outcome"])
CAMPAIGN_ASIDES = Counter(
    "scrm_campaign_asides_total",
    "Steps of a campaign's run that failed inside the service and were put aside",
    ["step"],
)
CAMPAIGN_OPEN = Gauge("scrm_campaign_open", "Deliveries of runs that go on, by state", ["state"])
CAMPAIGN_LATE_SECONDS = Gauge("scrm_campaign_late_seconds", "Age of the oldest delivery that is due and was not taken")
CAMPAIGN_TICKETS = Gauge("scrm_campaign_tickets", "Calls for many recipients that wait, by state", ["state"])
CAMPAIGN_ASIDE = Gauge("scrm_campaign_aside", "Runs of campaigns of which a step is put aside at this moment")
CAMPAIGN_CALLS = Counter("scrm_campaign_calls_total", "Calls to platforms for many recipients, by outcome", ["outcome"])
EVIDENCE_LEAVES = Counter("scrm_evidence_leaves_total", "Things that were sealed into the chain of evidence")
EVIDENCE_FAILED = Gauge("scrm_evidence_failed", "What the last check of the chain of evidence found wrong")
