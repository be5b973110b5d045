"""Every route of the API in one table: the part of the composition root that grows with each feature."""

from __future__ import annotations

import audit.alerts.routes
import audit.alerts.working
import audit.archive.routes
import audit.chats.routes
import audit.consent.routes
import audit.evidence.routes
import audit.payments.routes
import audit.quality.routes
import audit.retention.routes
import audit.rules.routes
import audit.search.routes
import audit.trail.routes
import audit.words.routes
import campaigns.audience.routes
import campaigns.invites.routes
import campaigns.ledger.routes
import campaigns.library.routes
import campaigns.library.write
import campaigns.life.routes
import campaigns.life.write
import campaigns.lists.routes
import campaigns.lists.write
import campaigns.moments.routes
import campaigns.sop.routes
import campaigns.sop.write
import customers.activity.routes
import customers.bulk.routes
import customers.codes.routes
import customers.follow_ups.routes
import customers.greetings.routes
import customers.handover.routes
import customers.identity.acts
import customers.identity.duplicates
import customers.identity.entry
import customers.identity.routes
import customers.list_work
import customers.listing.routes
import customers.reports.routes
import customers.reveal
import customers.routes_fields
import customers.routes_owners
import customers.routes_pool
import customers.routes_stages
import customers.rules.routes
import customers.sheets.routes
import customers.sync.routes
import customers.tasks.routes
import inbox.answer_routes
import inbox.card
import inbox.cards.routes
import inbox.customer_files
import inbox.follow_up_files
import inbox.library.routes
import inbox.list_routes
import inbox.response_report
import inbox.reveal
import inbox.routes
import inbox.routes_bell
import inbox.routes_export
import inbox.routes_flow
import inbox.routes_rules
import inbox.routes_together
import inbox.search_routes
import inbox.story
from audit.search import saved as saved_searches
from customers import owner_undo
from customers.follow_ups import correct
from customers.pool import rulebook as pool_rules
from customers.tasks import undo as task_undo
from inbox import rules, saved_views
from inbox.contacts import contacts_renamed
from inbox.undo import undo_kinds
from scrm import (
    look,
    routes_accounts,
    routes_agents,
    routes_company,
    routes_connections,
    routes_events,
    routes_people,
    routes_platform,
    routes_privacy,
    routes_roles,
    routes_second_factor,
    routes_security,
    routes_session,
    routes_trail,
    undo,
    undo_people,
)
from scrm.http import Route
from scrm.movers import MOVERS


def routes() -> list[Route]:
    """Every route of the API, with its permission."""
    return [
        *routes_session.api_routes(),
        *look.api_routes(),
        *routes_second_factor.api_routes(),
        *routes_platform.api_routes(),
        *routes_people.api_routes(),
        *routes_agents.api_routes(),
        *routes_roles.api_routes(),
        *routes_security.api_routes(),
        *routes_trail.api_routes(),
        *routes_privacy.api_routes(),
        *routes_accounts.api_routes(),
        *routes_company.api_routes(),
        *routes_connections.api_routes(),
        *routes_events.api_routes(),
        *audit.archive.routes.api_routes(),
        *audit.search.routes.api_routes(),
        *audit.alerts.routes.api_routes(),
        *audit.chats.routes.api_routes(),
        *audit.trail.routes.api_routes(),
        *audit.consent.routes.api_routes(),
        *audit.evidence.routes.api_routes(),
        *audit.retention.routes.api_routes(),
        *audit.rules.routes.api_routes(),
        *audit.quality.routes.api_routes(),
        *audit.words.routes.api_routes(),
        *audit.payments.routes.api_routes(),
        *inbox.routes.api_routes(),
        *inbox.card.api_routes(),
        *inbox.story.api_routes(),
        *inbox.follow_up_files.api_routes(),
        *inbox.reveal.api_routes(),
        *customers.reveal.api_routes(),
        *customers.identity.routes.api_routes(contacts_renamed),
        *customers.identity.entry.api_routes(),
        *customers.identity.duplicates.api_routes(),
        *inbox.customer_files.api_routes(),
        *customers.routes_fields.api_routes(),
        *customers.listing.routes.api_routes(),
        *customers.bulk.routes.api_routes(),
        *customers.sheets.routes.api_routes(),
        *customers.routes_owners.api_routes(),
        *customers.routes_pool.api_routes(),
        *customers.handover.routes.api_routes(MOVERS),
        *customers.routes_stages.api_routes(),
        *customers.rules.routes.api_routes(),
        *customers.reports.routes.api_routes(),
        *inbox.response_report.api_routes(),
        *customers.sync.routes.api_routes(),
        *customers.follow_ups.routes.api_routes(),
        *customers.tasks.routes.api_routes(),
        *customers.activity.routes.api_routes(),
        *customers.codes.routes.api_routes(),
        *customers.greetings.routes.api_routes(),
        *inbox.cards.routes.api_routes(),
        *inbox.routes_together.api_routes(),
        *inbox.routes_bell.api_routes(),
        *inbox.routes_export.api_routes(),
        *inbox.routes_flow.api_routes(),
        *inbox.routes_rules.api_routes(),
        *inbox.library.routes.api_routes(),
        *inbox.answer_routes.api_routes(),
        *inbox.search_routes.api_routes(),
        *inbox.list_routes.api_routes(),
        *campaigns.ledger.routes.api_routes(),
        *campaigns.life.routes.api_routes(),
        *campaigns.library.routes.api_routes(),
        *campaigns.audience.routes.api_routes(),
        *campaigns.lists.routes.api_routes(),
        *campaigns.invites.routes.api_routes(),
        *campaigns.sop.routes.api_routes(),
        *campaigns.moments.routes.api_routes(),
        *undo.api_routes(
            {
                **undo_people.undo_kinds(),
                **rules.undo_kinds(),
                **undo_kinds(),
                **customers.identity.acts.undo_kinds(contacts_renamed),
                **customers.identity.duplicates.undo_kinds(),
                **inbox.customer_files.undo_kinds(),
                **saved_views.undo_kinds(),
                **saved_searches.undo_kinds(),
                **customers.list_work.undo_kinds(),
                **customers.routes_stages.undo_kinds(),
                **customers.rules.routes.undo_kinds(),
                **inbox.library.routes.undo_kinds(),
                **owner_undo.undo_kinds(),
                **correct.undo_kinds(),
                **task_undo.undo_kinds(),
                **pool_rules.undo_kinds(),
                **campaigns.life.write.undo_kinds(),
                **campaigns.library.write.undo_kinds(),
                **campaigns.sop.write.undo_kinds(),
                **campaigns.lists.write.undo_kinds(),
                **audit.rules.routes.undo_kinds(),
                **audit.alerts.working.undo_kinds(),
            }
        ),
    ]
