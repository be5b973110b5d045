"""KF sessions (chapter 16.2): who may speak, the reply window, and the codes that allow one message on an event."""

from __future__ import annotations

from simulator.wecom.errors import Refused
from simulator.wecom.settings import Settings
from simulator.wecom.state import (
    BOT,
    ENDED,
    HUMAN,
    POOL,
    UNTREATED,
    Corp,
    EventCode,
    KfAccount,
    Session,
    new_id,
)

ALLOWED = {UNTREATED: {BOT, POOL, HUMAN, ENDED}, BOT: {POOL, HUMAN, ENDED}, POOL: {HUMAN, ENDED}, HUMAN: {HUMAN, ENDED}}
"""From which state the API may change to which; an ended session only starts again with the customer."""

TEXT_OR_MENU = ["text", "msgmenu"]
TEXT = ["text"]
_CODES_PER_CLEANING = 1024


def session_of(account: KfAccount, external_userid: str, now: int, settings: Settings) -> Session:
    """The session as it is now: one that was silent for 48 hours has ended by itself."""
    session = account.sessions.get(external_userid)
    if session is None:
        session = account.sessions[external_userid] = Session()
    if session.state != ENDED and now - session.last_customer_at >= settings.reply_window:
        end(session)
    return session


def customer_wrote(session: Session, now: int, settings: Settings) -> None:
    """A message of the customer begins a session if none is running, and opens the reply window anew."""
    if session.state == ENDED:
        session.state = UNTREATED
        session.servicer_userid = ""
        session.reply_code_given = False
    session.last_customer_at = now
    session.replies_left = settings.replies_per_window


def end(session: Session) -> None:
    session.state = ENDED
    session.servicer_userid = ""
    session.reply_code_given = False


def check_servicer(corp: Corp, account: KfAccount, userid: str) -> str:
    """The servicer's userid as stored. Refused with 95014 (no servicer, or not activated) or 95019 (has stopped)."""
    member = corp.members.get(userid.lower())
    name = next((known for known in account.servicers if known.lower() == userid.lower()), None)
    if name is None or member is None or member.status != 1:
        raise Refused(95014)
    if account.servicers[name].stopped:
        raise Refused(95019)
    return name


def change_state(
    corp: Corp, account: KfAccount, external_userid: str, state: int, servicer: str, now: int, settings: Settings
) -> str:
    """``kf/service_state/trans``. Returns the code for one message on it, or an empty text.

    Refused with 95016 for an arrow that does not exist, 95014 or 95019 for the servicer.
    """
    session = session_of(account, external_userid, now, settings)
    if state not in ALLOWED.get(session.state, ()):
        raise Refused(95016)
    before = session.state
    if state == HUMAN:
        name = check_servicer(corp, account, servicer)
        if before == HUMAN and name == session.servicer_userid:
            raise Refused(95016, "already with this servicer")
        session.servicer_userid = name
    if state == ENDED:
        end(session)
        return make_code(corp, account, external_userid, "ended", TEXT_OR_MENU, now, settings.closing_life)
    session.state = state
    if state == BOT:
        return ""
    if state == POOL:
        session.servicer_userid = ""
    situation = "pooled" if state == POOL else "taken"
    if session.reply_code_given and not (before == POOL and state == HUMAN):
        return ""
    session.reply_code_given = True
    return make_code(corp, account, external_userid, situation, TEXT, now, settings.pool_code_life)


def make_code(
    corp: Corp, account: KfAccount, external_userid: str, situation: str, types: list[str], now: int, life: int
) -> str:
    """A code for one message on an event, valid for ``life`` seconds."""
    if len(corp.codes) % _CODES_PER_CLEANING == _CODES_PER_CLEANING - 1:
        corp.codes = {code: known for code, known in corp.codes.items() if known.expires_at > now}
    code = new_id("CODE", 40)
    corp.codes[code] = EventCode(account.open_kfid, external_userid, now + life, list(types), situation)
    return code


def use_code(corp: Corp, code: str, msgtype: str, now: int) -> EventCode:
    """Looks a code up without spending it. Refused with 41050 when unknown, spent or too old, 40008 for a wrong type."""
    known = corp.codes.get(code)
    if known is None or known.expires_at <= now:
        raise Refused(41050)
    if msgtype not in known.types:
        raise Refused(40008)
    return known
