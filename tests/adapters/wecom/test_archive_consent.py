"""Who is archived and who agreed, over HTTP with the archive's own secret, against the simulator."""

from __future__ import annotations

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_archive import ArchiveUnready, KnowsConsent
from scrm.errors import Rejected
from tests.adapters.wecom.harness import WeComHarness
from tests.adapters.wecom.support import ARCHIVE_SECRET, CORP_ID


async def test_the_archive_answers_to_its_own_secret_only(site: WeComHarness, wecom: WeComAdapter) -> None:
    assert isinstance(wecom, KnowsConsent)
    # Before it is bought there is no such secret.
    with pytest.raises(ArchiveUnready) as unready:
        await wecom.archived_members()
    assert unready.value.code == "bad_secret"
    site.play.buy_archive(CORP_ID, ARCHIVE_SECRET, ["HanMeimei", "nobody"])
    # A refused secret rests for a while in the adapter that tried it.
    wecom = site.connect()
    assert await wecom.archived_members() == ["hanmeimei"]
    site.play.create_follow(CORP_ID, "HanMeimei", site.customer)
    (told,) = await wecom.agreements([("hanmeimei", site.customer), ("hanmeimei", "wmStranger")])
    assert (told.contact, told.member, told.state) == (site.customer, "hanmeimei", "by_default")
    site.play.archive_consents(CORP_ID, "HanMeimei", site.customer, "Disagree")
    assert [one.state for one in await wecom.agreements([("hanmeimei", site.customer)])] == ["refused"]
    with pytest.raises(Rejected) as refused:
        await wecom.agreements([("hanmeimei", f"wm{n}") for n in range(wecom.consent_batch + 1)])
    assert refused.value.code == "wecom.301060"
    # Its token opens nothing else, and the app's token does not open it.
    consent, app = wecom._consent_client, wecom._client
    assert consent is not None
    for client, path in ((consent, "department/list"), (consent, "externalcontact/get_follow_user_list")):
        with pytest.raises(Rejected) as refused:
            await client.get(path, {})
        assert refused.value.code == "wecom.48002"
    with pytest.raises(Rejected) as refused:
        await app.post("msgaudit/get_permit_user_list", {})
    assert refused.value.code == "wecom.48002"


async def test_groups_tell_of_everybody_outside_and_unknown_ones_of_nobody(
    site: WeComHarness, wecom: WeComAdapter
) -> None:
    site.play.buy_archive(CORP_ID, ARCHIVE_SECRET, ["HanMeimei"])
    group = site.play.create_group(CORP_ID, "客户群", "HanMeimei", [site.customer])
    assert [(one.contact, one.state) for one in await wecom.room_agreements(group)] == [(site.customer, "by_default")]
    site.play.dissolve_group(CORP_ID, group)
    assert await wecom.room_agreements(group) == []
    assert await wecom.room_agreements("wrUnknown") == []
