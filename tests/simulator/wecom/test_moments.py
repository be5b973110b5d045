"""Moments of the simulated platform: as strict as the platform, made by a job, published by members, seen by customers."""

from __future__ import annotations

import aiohttp
import pytest

from simulator import pictures
from simulator.wecom.settings import DAY, Settings
from simulator.wecom.state import from_json, to_json

from .conftest import CORP, PNG, Json, Shop

ADD, RESULT, LIST = (
    "externalcontact/add_moment_task",
    "externalcontact/get_moment_task_result",
    "externalcontact/get_moment_list",
)
TASK, CANCEL = "externalcontact/get_moment_task", "externalcontact/cancel_moment_task"
CHOSEN, SHOWN = "externalcontact/get_moment_customer_list", "externalcontact/get_moment_send_result"
COMMENTS = "externalcontact/get_moment_comments"
IN_THE_MIDDLE_OF_A_MONTH = 1_797_292_800
MP4 = b"\0\0\0\x18ftypmp42"


def mp4(seconds: int) -> bytes:
    header = bytes(12) + (1000).to_bytes(4, "big") + (seconds * 1000).to_bytes(4, "big") + bytes(80)
    return MP4 + b"moovmvhd" + header


async def upload(shop: Shop, content: bytes, kind: str = "image", scene: str = "1") -> Json:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("media", content, filename="a.bin")
    params = {"access_token": await shop.token(), "media_type": kind, "attachment_type": scene}
    async with shop.http.post(f"{shop.base}/media/upload_attachment", params=params, data=form) as response:
        return dict(await response.json())


def words(*users: str, **more: object) -> Json:
    return {"text": {"content": "新品"}, "visible_range": {"sender_list": {"user_list": list(users)}}, **more}


async def made(shop: Shop, body: Json) -> Json:
    """The result of the job of a moment."""
    job = (await shop.post(ADD, body))["jobid"]
    shop.play.advance_clock(10)
    answer = await shop.get(RESULT, jobid=job)
    assert answer["status"] == 3
    return dict(answer["result"])


async def code(shop: Shop, path: str, body: Json) -> int:
    return int((await shop.post(path, body))["errcode"])


async def test_a_job_takes_its_time_and_is_forgotten_after_a_day(shop: Shop) -> None:
    shop.play.change_settings({"moment_job_seconds": 60, "moment_handing_out": 60})
    job = (await shop.post(ADD, words("ZhangSan")))["jobid"]
    first = await shop.get(RESULT, jobid=job)
    assert first["status"] in (1, 2)
    assert "result" not in first
    now = shop.play._now()
    everything = {"start_time": now - DAY, "end_time": now + DAY, "filter_type": 0}
    assert (await shop.post(LIST, everything))["moment_list"] == []
    shop.play.advance_clock(60)
    result = (await shop.get(RESULT, jobid=job))["result"]
    assert (result["errcode"], result["moment_id"][:3]) == (0, "mom")
    assert await code(shop, TASK, {"moment_id": result["moment_id"]}) == 41079
    shop.play.advance_clock(60)
    assert (await shop.post(TASK, {"moment_id": result["moment_id"]}))["task_list"] == [
        {"userid": "ZhangSan", "publish_status": 0}
    ]
    shop.play.advance_clock(DAY)
    assert (await shop.get(RESULT, jobid=job))["errcode"] == 40058
    assert (await shop.get(RESULT))["errcode"] == 40063


async def test_unknown_people_and_tags_are_passed_over(shop: Shop) -> None:
    tag = shop.play.create_tag_group(CORP, "爱好", ["摄影"])["摄影"]
    visible = {
        "sender_list": {"user_list": ["zhangsan", "nobody"], "department_list": [77]},
        "external_contact_list": {"tag_list": [tag, "etGone"]},
    }
    result = await made(shop, {"text": {"content": "新品"}, "visible_range": visible})
    assert result["invalid_sender_list"] == {"user_list": ["nobody"], "department_list": [77]}
    assert result["invalid_external_contact_list"] == {"tag_list": ["etGone"]}
    nobody = await made(shop, words("nobody"))
    assert (nobody["errcode"], nobody["moment_id"]) == (81013, "")
    visible["external_contact_list"] = {"tag_list": ["etGone"]}
    assert (await made(shop, {"text": {"content": "新品"}, "visible_range": visible}))["errcode"] == 40068


async def test_without_names_everybody_is_asked_or_who_knows_the_customers(shop: Shop) -> None:
    tag = shop.play.create_tag_group(CORP, "爱好", ["摄影"])["摄影"]
    shop.play.create_follow(CORP, "lisi", shop.customer)
    shop.play.member_edits(CORP, "lisi", shop.customer, add_tags=[tag])
    bodies = (
        {},
        {"visible_range": {"sender_list": {"department_list": [1]}}},
        {"visible_range": {"external_contact_list": {"tag_list": [tag]}}},
    )
    asked = []
    for body in bodies:
        moment_id = (await made(shop, {"text": {"content": "新品"}, **body}))["moment_id"]
        asked.append({one["userid"] for one in (await shop.post(TASK, {"moment_id": moment_id}))["task_list"]})
    assert asked == [{"ZhangSan", "lisi"}, {"ZhangSan", "lisi"}, {"lisi"}]


def of(kind: str, *media: str, **more: str) -> list[Json]:
    return [{"msgtype": kind, kind: {"media_id": one, **more}} for one in media]


async def test_attachments_are_pictures_or_a_video_or_a_link(shop: Shop) -> None:
    picture = (await upload(shop, PNG))["media_id"]
    video = (await upload(shop, mp4(30), "video"))["media_id"]
    chat = (await shop.upload("image", PNG))["media_id"]
    album = (await upload(shop, PNG, scene="2"))["media_id"]
    link = {"title": "新品", "url": "https://shop.example/1"}
    table = [
        (0, of("image", *[picture] * 9)),
        (41064, of("image", *[picture] * 10)),
        (0, of("video", video)),
        (41064, of("video", video, video)),
        (41065, of("image", picture) + of("video", video)),
        (41065, of("file", picture)),
        (41065, [{"msgtype": "image"}]),
        (0, of("link", picture, **link)),
        (40063, of("link", picture, title="新品")),
        (40058, of("link", picture, **{**link, "title": "长" * 65})),
        (41006, [{"msgtype": "link", "link": link}]),
        (40007, of("image", video)),
        (40007, of("image", "forgotten")),
        (41072, of("image", chat)),
        (41072, of("image", album)),
    ]
    for expected, attachments in table:
        assert await code(shop, ADD, words("lisi", attachments=attachments)) == expected, attachments
        shop.play.advance_clock(10)
    shop.play.advance_clock(3 * DAY)
    assert await code(shop, ADD, words("lisi", attachments=of("image", picture))) == 40007


async def test_words_have_a_length(shop: Shop) -> None:
    table = [(0, "x" * 2000), (40058, "x" * 2001), (0, "字" * 1333), (40058, "字" * 1334), (41089, "")]
    for expected, said in table:
        assert await code(shop, ADD, {**words("lisi"), "text": {"content": said}}) == expected, len(said)
    assert await code(shop, ADD, {"text": "新品"}) == 40058
    assert await code(shop, ADD, {**words(), "visible_range": []}) == 0
    assert await code(shop, ADD, {**words(), "visible_range": {"sender_list": {"user_list": [1]}}}) == 40058


async def test_files_for_moments_have_a_size(shop: Shop) -> None:
    answer = await upload(shop, PNG)
    assert (answer["type"], isinstance(answer["created_at"], int)) == ("image", True)
    rows = [b"\0\0\0" * 1081] * 1081
    table = [
        (41081, pictures.png(1081, 1081, rows), "image", "1"),
        (0, pictures.png(1081, 1080, rows[:1080]), "image", "1"),
        (41082, mp4(31), "video", "1"),
        (40004, b"%PDF-1.7 no picture", "image", "1"),
        (40005, b"%PDF-1.7 a file", "file", "1"),
        (40005, mp4(3), "video", "2"),
        (40005, PNG, "image", ""),
    ]
    for expected, content, kind, scene in table:
        assert (await upload(shop, content, kind, scene))["errcode"] == expected, (kind, scene, expected)


def go_to_the_middle_of_a_month(shop: Shop) -> None:
    """Where no minute, day or month ends soon."""
    shop.play.advance_clock(IN_THE_MIDDLE_OF_A_MONTH - shop.play.clock.now().timestamp())


class TestLimits:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(moments_per_minute=2, moments_per_month=4, moment_jobs_at_once=3)

    async def test_moments_have_a_number_per_minute_at_once_and_per_month(self, shop: Shop) -> None:
        go_to_the_middle_of_a_month(shop)
        codes = [await code(shop, ADD, words("lisi")) for _ in range(3)]
        assert codes == [0, 0, 45009]
        shop.play.advance_clock(60)
        codes = [await code(shop, ADD, words("lisi")) for _ in range(2)]
        shop.play.advance_clock(60)
        assert [*codes, await code(shop, ADD, words("lisi"))] == [0, 0, 41210]
        shop.play.advance_clock(31 * DAY)
        assert await code(shop, ADD, words("lisi")) == 0


async def test_so_many_are_made_at_once(shop: Shop) -> None:
    shop.play.change_settings({"moment_jobs_at_once": 2, "moment_job_seconds": 60})
    assert [await code(shop, ADD, words("lisi")) for _ in range(3)] == [0, 0, 41078]
    shop.play.advance_clock(60)
    assert await code(shop, ADD, words("lisi")) == 0


async def test_a_company_without_moments(shop: Shop) -> None:
    shop.play.enable_moments(CORP, False)
    assert await code(shop, ADD, words("lisi")) == 41211


async def test_members_publish_and_customers_react(shop: Shop) -> None:
    other = shop.play.create_customer(CORP, "阿青")
    for who in (shop.customer, other):
        shop.play.create_follow(CORP, "lisi", who)
    moment_id = (await made(shop, words("lisi", "ZhangSan")))["moment_id"]
    theirs = {"moment_id": moment_id, "userid": "lisi"}
    for path in (CHOSEN, SHOWN, COMMENTS):
        assert await code(shop, path, theirs) == 41062
        assert await code(shop, path, {**theirs, "userid": "nobody"}) == 41061
        assert await code(shop, path, {"userid": "lisi"}) == 41059
        assert await code(shop, path, {**theirs, "moment_id": "momX"}) == 41060
    with pytest.raises(ValueError, match="does not see"):
        shop.play.like_moment(CORP, moment_id, "lisi", other)
    shop.play.publish_moment(CORP, moment_id, "LiSi")
    page = await shop.post(CHOSEN, {**theirs, "limit": 1})
    assert page["customer_list"] == [{"userid": "lisi", "external_userid": shop.customer}]
    page = await shop.post(CHOSEN, {**theirs, "limit": 1, "cursor": page["next_cursor"]})
    assert (page["customer_list"], page["next_cursor"]) == ([{"userid": "lisi", "external_userid": other}], "")
    assert await code(shop, SHOWN, {**theirs, "cursor": "mine"}) == 50100
    assert await code(shop, SHOWN, {**theirs, "limit": 5001}) == 40058
    shop.play.like_moment(CORP, moment_id, "lisi", other)
    shop.play.like_moment(CORP, moment_id, "lisi", other)
    shop.play.like_moment(CORP, moment_id, "lisi", "ZhangSan")
    shop.play.comment_moment(CORP, moment_id, "lisi", other, "多少钱？")
    answer = await shop.post(COMMENTS, theirs)
    assert [set(one) for one in answer["comment_list"]] == [{"external_userid", "create_time"}], "no words"
    assert [one.get("external_userid") or one["userid"] for one in answer["like_list"]] == [other, "ZhangSan"]
    shop.play.unlike_moment(CORP, moment_id, "lisi", other)
    assert len((await shop.post(COMMENTS, theirs))["like_list"]) == 1


async def test_a_customer_sees_three_moments_of_the_company_a_day(shop: Shop) -> None:
    go_to_the_middle_of_a_month(shop)
    shop.play.create_follow(CORP, "lisi", shop.customer)
    shown = []
    for _ in range(4):
        moment_id = (await made(shop, words("lisi")))["moment_id"]
        shop.play.publish_moment(CORP, moment_id, "lisi")
        theirs = {"moment_id": moment_id, "userid": "lisi"}
        shown.append(len((await shop.post(SHOWN, theirs))["customer_list"]))
        assert len((await shop.post(CHOSEN, theirs))["customer_list"]) == 1
    assert shown == [1, 1, 1, 0]
    shop.play.advance_clock(DAY)
    moment_id = (await made(shop, words("lisi")))["moment_id"]
    assert shop.play.publish_moment(CORP, moment_id, "lisi").shown == [shop.customer]


async def test_a_moment_that_is_taken_back_cannot_be_published(shop: Shop) -> None:
    moment_id = (await made(shop, words("lisi", "ZhangSan")))["moment_id"]
    shop.play.publish_moment(CORP, moment_id, "lisi")
    assert await code(shop, CANCEL, {"moment_id": moment_id}) == 0
    assert await code(shop, CANCEL, {"moment_id": moment_id}) == 41093
    with pytest.raises(ValueError, match="taken back"):
        shop.play.publish_moment(CORP, moment_id, "ZhangSan")
    rows = (await shop.post(TASK, {"moment_id": moment_id}))["task_list"]
    assert {one["userid"]: one["publish_status"] for one in rows} == {"lisi": 1, "ZhangSan": 0}


async def test_the_list_tells_whose_they_are_and_pages(shop: Shop) -> None:
    picture = (await upload(shop, PNG))["media_id"]
    company = (await made(shop, words("lisi", attachments=of("image", picture))))["moment_id"]
    personal = shop.play.post_own_moment(CORP, "lisi", "天气真好")
    now = shop.play._now()
    span: Json = {"start_time": now - DAY, "end_time": now}

    async def ids(**more: object) -> list[str]:
        return [one["moment_id"] for one in (await shop.post(LIST, {**span, **more}))["moment_list"]]

    assert await ids() == [company, personal]
    assert [await ids(filter_type=kind) for kind in (0, 1, 2)] == [[company], [personal], [company, personal]]
    assert await ids(creator="lisi") == [personal]
    first = await shop.post(LIST, {**span, "limit": 1})
    assert [one["moment_id"] for one in first["moment_list"]] == [company]
    assert await ids(limit=1, cursor=first["next_cursor"]) == [personal]
    row = first["moment_list"][0]
    assert (row["create_type"], row["visible_type"], row["image"]) == (0, 1, [{"media_id": picture}])
    assert "creator" not in row
    assert await code(shop, LIST, {**span, "limit": 21}) == 40058
    assert await code(shop, LIST, {"start_time": now - 31 * DAY, "end_time": now}) == 40058
    assert await code(shop, TASK, {"moment_id": personal}) == 41067
    assert await code(shop, CANCEL, {"moment_id": personal}) == 41067


async def test_moments_survive_a_restart(shop: Shop) -> None:
    moment_id = (await made(shop, words("lisi")))["moment_id"]
    shop.play.publish_moment(CORP, moment_id, "lisi")
    kept = from_json(to_json(shop.simulator.world)).corps[CORP]
    assert kept.moments[moment_id].members["lisi"].published > 0
