"""Moments against the simulated platform: made by a job, published by members one by one, shown, liked, taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_campaigns import MomentJob, MomentPost, Moments, TaskRef
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.testing import outgoing_media
from simulator import pictures
from simulator.faults import Fault
from tests.adapters.wecom.harness import PNG, WeComHarness
from tests.adapters.wecom.support import CORP_ID, Platform

ADD = "/cgi-bin/externalcontact/add_moment_task"
UPLOAD = "/cgi-bin/media/upload_attachment"
PICTURE = GreetingPart(AttachmentKind.IMAGE, media=outgoing_media(PNG, "湖.png", "image/png"))
VIDEO = GreetingPart(
    AttachmentKind.VIDEO, media=outgoing_media(b"\0\0\0\x18ftypmp42" + bytes(64), "a.mp4", "video/mp4")
)
LINK = GreetingPart(
    AttachmentKind.LINK,
    {"title": "湖景房", "url": "https://hotel.example/rooms"},
    outgoing_media(PNG, "a.png", "image/png"),
)
DAY = timedelta(days=1)


def post(
    *parts: GreetingPart, text: str = "周末住湖边", who: tuple[str, ...] = ("hanmeimei",), tags: tuple[str, ...] = ()
) -> MomentPost:
    return MomentPost(text, parts, who, tags)


@pytest.fixture(autouse=True)
def company(site: WeComHarness) -> None:
    """The making takes a minute, and so does the handing out: no slow machine sees one done too early."""
    site.simulator.settings.moment_job_seconds = site.simulator.settings.moment_handing_out = 60
    site.play.create_member(CORP_ID, "LiLei", "李雷")
    site.play.create_follow(CORP_ID, "HanMeimei", site.customer)


async def made(site: WeComHarness, wecom: WeComAdapter, wanted: MomentPost) -> str:
    job_id = await wecom.post_moment(wanted)
    site.advance(timedelta(seconds=130))
    job = await wecom.moment_job(job_id)
    assert job.state == "done", job
    return job.moment_id


async def listed(site: WeComHarness, wecom: WeComAdapter) -> list[TaskRef]:
    now, cursor, found = site.simulator.clock.now(), "", list[TaskRef]()
    while True:
        page, cursor = await wecom.moments(since=now - DAY, until=now + timedelta(minutes=1), cursor=cursor)
        found += page
        if not cursor:
            return found


async def refused(wecom: WeComAdapter, wanted: MomentPost, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        await wecom.post_moment(wanted)
    assert caught.value.code == code
    assert caught.value.reason.zh
    assert caught.value.reason.en


async def test_a_moment_is_made_by_a_job_and_published_by_each_member(site: WeComHarness, wecom: WeComAdapter) -> None:
    assert isinstance(wecom, Moments)
    job_id = await wecom.post_moment(post(PICTURE, who=("hanmeimei", "lilei", "nobody")))
    assert await wecom.moment_job(job_id) == MomentJob("waiting")
    assert await listed(site, wecom) == []
    site.advance(timedelta(seconds=61))
    job = await wecom.moment_job(job_id)
    assert (job.state, list(job.refused)) == ("done", ["nobody"])
    with pytest.raises(RetryLater):
        await wecom.moment_members(job.moment_id, "")
    site.advance(timedelta(seconds=61))
    (ref,) = await listed(site, wecom)
    assert (ref.task_id, ref.text) == (job.moment_id, "周末住湖边")
    site.play.publish_moment(CORP_ID, job.moment_id, "LiLei")
    members, cursor = await wecom.moment_members(job.moment_id, "")
    assert ({one.account_id: one.published for one in members}, cursor) == ({"hanmeimei": False, "lilei": True}, "")


async def test_who_sees_it_and_what_they_make_of_it(site: WeComHarness, wecom: WeComAdapter) -> None:
    tag = site.play.create_tag_group(CORP_ID, "爱好", ["摄影"])["摄影"]
    fond, former = (site.play.create_customer(CORP_ID, name) for name in ("阿青", "阿林"))
    site.play.create_follow(CORP_ID, "HanMeimei", fond)
    site.play.create_follow(CORP_ID, "HanMeimei", former)
    for who in (fond, former):
        site.play.member_edits(CORP_ID, "HanMeimei", who, add_tags=[tag])
    site.play.delete_contact(CORP_ID, "HanMeimei", former, by_customer=True)
    moment_id = await made(site, wecom, post(tags=(tag,)))
    assert await wecom.moment_receivers(moment_id, "hanmeimei", "") == ([], "")
    assert await wecom.moment_audience(moment_id, "hanmeimei", "") == ([], "")
    assert (await wecom.moment_reactions(moment_id, "hanmeimei")).likes == []
    site.play.publish_moment(CORP_ID, moment_id, "HanMeimei")
    assert await wecom.moment_audience(moment_id, "hanmeimei", "") == ([fond, former], "")
    assert await wecom.moment_receivers(moment_id, "hanmeimei", "") == ([fond], "")
    site.play.like_moment(CORP_ID, moment_id, "HanMeimei", fond)
    site.play.comment_moment(CORP_ID, moment_id, "HanMeimei", fond, "在哪里拍的？")
    site.play.like_moment(CORP_ID, moment_id, "HanMeimei", "LiLei")
    reactions = await wecom.moment_reactions(moment_id, "hanmeimei")
    assert [[who for who, _ in told] for told in (reactions.likes, reactions.comments)] == [[fond], [fond]]
    assert all(isinstance(at, datetime) and at.tzinfo for _, at in reactions.likes)
    with pytest.raises(Rejected) as caught:
        await wecom.moment_reactions(moment_id, "lilei")
    assert caught.value.code == "wecom.41061"


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [([PICTURE] * 9, ["image"] * 9), ([VIDEO], ["video"]), ([LINK], ["link"]), ([], [])],
    ids=["nine pictures", "a video", "a link", "words"],
)
async def test_what_a_moment_can_show(
    site: WeComHarness, wecom: WeComAdapter, parts: list[GreetingPart], kinds: list[str]
) -> None:
    moment_id = await made(site, wecom, post(*parts))
    (moment,) = site.play.moments(CORP_ID)
    assert (moment.moment_id, [one["msgtype"] for one in moment.attachments]) == (moment_id, kinds)
    files = {media.content for media in site.simulator.world.corps[CORP_ID].media.values() if media.for_moments}
    assert len(files) == min(1, len(parts)), "a file goes up once"


async def test_what_no_moment_can_have_is_refused_before_the_platform_does(wecom: WeComAdapter) -> None:
    bare = GreetingPart(AttachmentKind.LINK, {"title": "湖景房", "url": "https://hotel.example/rooms"})
    for parts in ([PICTURE] * 10, [PICTURE, VIDEO], [VIDEO, VIDEO], [LINK, LINK], [GreetingPart(AttachmentKind.FILE)]):
        await refused(wecom, post(*parts), "wecom.moment_attachments")
    await refused(wecom, post(bare), "wecom.moment_file_missing")
    await refused(wecom, post(GreetingPart(AttachmentKind.LINK, {}, LINK.media)), "wecom.moment_link_incomplete")
    long = GreetingPart(AttachmentKind.LINK, {**LINK.content, "title": "长" * 65}, LINK.media)
    await refused(wecom, post(long), "wecom.link_title_too_long")
    await refused(wecom, post(text=" "), "wecom.moment_empty")
    await refused(wecom, post(text="字" * 1334), "wecom.moment_too_long")
    await refused(wecom, post(text="x" * 2001), "wecom.moment_too_long")
    await refused(wecom, post(who=()), "wecom.moment_nobody")


async def test_the_longest_words_are_taken(site: WeComHarness, wecom: WeComAdapter) -> None:
    for text in ("字" * 1333, "x" * 2000):
        await made(site, wecom, post(text=text))
    assert [len(one.text) for one in site.play.moments(CORP_ID)] == [1333, 2000]


async def test_files_are_kept_for_three_days_and_go_up_again_when_forgotten(
    site: WeComHarness, wecom: WeComAdapter
) -> None:
    uploads = site.simulator.faults.add(Fault("delay", UPLOAD, times=None, seconds=0))
    await wecom.post_moment(post(PICTURE))
    await site.connect().post_moment(post(PICTURE, text="又一条"))
    assert uploads.hits == 1, "one upload for all processes"
    site.advance(timedelta(days=2, hours=23))
    await wecom.post_moment(post(PICTURE))
    assert uploads.hits == 2
    site.simulator.world.corps[CORP_ID].media.clear()
    await wecom.post_moment(post(PICTURE, PICTURE))
    assert uploads.hits == 3
    assert len(site.simulator.world.corps[CORP_ID].moment_jobs) == 2, "of this day: each post was made once"


@pytest.mark.parametrize(
    ("kind", "raised", "number"),
    [("drop_after", Uncertain, 1), ("hang_after", Uncertain, 1), ("broken", Uncertain, 1), ("drop", Uncertain, 0)],
)
async def test_a_moment_whose_answer_is_lost_is_uncertain_and_found(
    site: WeComHarness, wecom: WeComAdapter, kind: str, raised: type[SendError], number: int
) -> None:
    site.simulator.faults.add(Fault(kind, ADD))  # type: ignore[arg-type]
    with pytest.raises(raised):
        await wecom.post_moment(post())
    site.advance(timedelta(seconds=130))
    assert len(await listed(site, wecom)) == number


@pytest.mark.parametrize(
    ("errcode", "raised"),
    [
        (45009, RetryLater),
        (41078, RetryLater),
        (41079, RetryLater),
        (41210, Rejected),
        (41211, Rejected),
        (41081, Rejected),
    ],
)
async def test_refusals_say_what_to_do(
    site: WeComHarness, wecom: WeComAdapter, errcode: int, raised: type[SendError]
) -> None:
    site.simulator.faults.add(Fault("refuse", ADD, code=errcode))
    with pytest.raises(raised) as caught:
        await wecom.post_moment(post())
    assert (caught.value.code, str(errcode) in caught.value.reason.zh) == (f"wecom.{errcode}", False)


async def test_a_job_whose_members_are_all_unknown_fails_with_a_sentence(
    site: WeComHarness, wecom: WeComAdapter
) -> None:
    job_id = await wecom.post_moment(post(who=("nobody",), tags=("etUnknown",)))
    site.advance(timedelta(seconds=61))
    job = await wecom.moment_job(job_id)
    assert (job.state, job.moment_id, list(job.refused), list(job.refused_tags)) == (
        "failed",
        "",
        ["nobody"],
        ["etUnknown"],
    )
    assert job.code == "wecom.81013"
    assert job.reason is not None
    assert "81013" not in job.reason.zh


async def test_jobs_are_known_for_a_day(site: WeComHarness, wecom: WeComAdapter) -> None:
    job_id = await wecom.post_moment(post())
    site.advance(timedelta(hours=24, seconds=1))
    with pytest.raises(Rejected):
        await wecom.moment_job(job_id)


async def test_a_moment_is_taken_from_those_who_did_not_publish_it(site: WeComHarness, wecom: WeComAdapter) -> None:
    moment_id = await made(site, wecom, post(who=("hanmeimei", "lilei")))
    site.play.publish_moment(CORP_ID, moment_id, "HanMeimei")
    for _ in range(2):
        await wecom.withdraw_moment(moment_id)
    with pytest.raises(ValueError, match="taken back"):
        site.play.publish_moment(CORP_ID, moment_id, "LiLei")
    assert await wecom.moment_receivers(moment_id, "hanmeimei", "") == ([site.customer], "")


async def test_moments_of_members_are_not_the_companys(site: WeComHarness, wecom: WeComAdapter) -> None:
    own = site.play.post_own_moment(CORP_ID, "HanMeimei", "今天天气真好")
    assert await listed(site, wecom) == []
    with pytest.raises(Rejected) as caught:
        await wecom.moment_members(own, "")
    assert caught.value.code == "wecom.41067"


async def test_lists_are_read_page_by_page(site: WeComHarness, wecom: WeComAdapter) -> None:
    site.simulator.settings.moments_per_minute = 100
    for number in range(25):
        await wecom.post_moment(post(text=f"第{number}条"))
    site.advance(timedelta(seconds=130))
    assert [one.text for one in await listed(site, wecom)] == [f"第{number}条" for number in range(25)]


async def test_an_answer_without_a_job_is_uncertain(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("externalcontact/add_moment_task", {"errcode": 0})
    with pytest.raises(Uncertain):
        await adapter.post_moment(post())
    server.reply("externalcontact/get_moment_task_result", {"errcode": 0, "status": 3, "result": {"errcode": 0}})
    with pytest.raises(RetryLater):
        await adapter.moment_job("j")


async def test_a_reaction_without_a_time_cannot_be_told_apart(adapter: WeComAdapter, server: Platform) -> None:
    said = {
        "errcode": 0,
        "like_list": [{"external_userid": "wm1"}, {"external_userid": "wm2", "create_time": "1605172726"}],
    }
    server.reply("externalcontact/get_moment_comments", said)
    assert [who for who, _ in (await adapter.moment_reactions("mom", "z")).likes] == ["wm2"]


async def test_a_picture_that_is_too_large_for_a_moment(site: WeComHarness, wecom: WeComAdapter) -> None:
    wide = pictures.png(1081, 1081, [b"\0\0\0" * 1081] * 1081)
    part = GreetingPart(AttachmentKind.IMAGE, media=outgoing_media(wide, "大.png", "image/png"))
    await refused(wecom, post(part), "wecom.41081")
    assert site.play.moments(CORP_ID) == []
