"""What is really so in a corp, in plain values: what tests compare a service's own picture with."""

from __future__ import annotations

from simulator.wecom.group_chats import status_of
from simulator.wecom.state import WAITING, Corp, Follow, JsonObject


def truth(corp: Corp) -> JsonObject:
    """Userids in lower case. ``relations`` by ``external_userid`` and ``userid``: those that the API tells, with ``one_sided``
    for customers who have deleted the member, which it does not tell. ``unassigned``: those of members who left."""
    here = [f for follows in corp.follows.values() for f in follows.values() if f.userid.lower() in corp.members]
    orphaned = [f for follows in corp.follows.values() for f in follows.values() if f.userid.lower() in corp.former]
    return {
        "departments": {str(d.id): {"name": d.name, "parent": d.parentid} for d in corp.departments.values()},
        "members": {
            key: {"name": m.name, "departments": m.department, "status": m.status, "serves": m.serves}
            for key, m in corp.members.items()
        },
        "former": {key: m.left_at for key, m in corp.former.items()},
        "customers": {
            c.external_userid: {"name": c.nickname, "unionid": c.unionid, "type": c.type, "gender": c.gender}
            for c in corp.customers.values()
        },
        "relations": {f"{f.external_userid}/{f.userid.lower()}": _relation(f) for f in here},
        "unassigned": {f"{f.external_userid}/{f.userid.lower()}": _relation(f) for f in orphaned},
        "halves": [f"{half.external_userid}/{half.userid.lower()}" for half in corp.halves],
        "ended": [
            {
                "userid": e.userid.lower(),
                "external_userid": e.external_userid,
                "at": e.at,
                "how": e.how,
                "to": e.to_userid.lower(),
            }
            for e in corp.ended
        ],
        "tags": {
            group.group_id: {
                "name": group.group_name,
                "order": group.order,
                "made_by_app": group.agent_id,
                "tags": {
                    tag.id: {"name": tag.name, "order": tag.order, "made_by_app": tag.agent_id} for tag in group.tags
                },
            }
            for group in corp.tag_groups.values()
        },
        "groups": {
            group.chat_id: {
                "name": group.name,
                "notice": group.notice,
                "owner": group.owner.lower(),
                "status": status_of(corp, group),
                "version": group.member_version,
                "members": {
                    one.userid.lower() if one.type == 1 else one.userid: {"type": one.type, "scene": one.join_scene}
                    for one in group.members
                },
            }
            for group in corp.groups.values()
            if not group.dissolved
        },
        "dissolved": [group.chat_id for group in corp.groups.values() if group.dissolved],
        "transfers": [
            {
                "from": t.handover.lower(),
                "to": t.takeover.lower(),
                "external_userid": t.external_userid,
                "status": t.status,
                "resigned": t.resigned,
            }
            for t in corp.transfers
        ],
        "transfers_waiting": sum(t.status == WAITING for t in corp.transfers),
        "codes": {way.config_id: {"state": way.state, "users": way.user} for way in corp.contact_ways.values()},
        "greetings": [
            {"userid": g.userid.lower(), "external_userid": g.external_userid, "text": g.text, "at": g.at}
            for g in corp.greetings
        ],
    }


def _relation(follow: Follow) -> JsonObject:
    return {
        "remark": follow.remark,
        "description": follow.description,
        "company": follow.remark_corp_name,
        "phones": follow.remark_mobiles,
        "tags": sorted(follow.tag_ids),
        "way": follow.add_way,
        "source": follow.state,
        "added_at": follow.createtime,
        "one_sided": follow.one_sided,
    }
