"""The words and attachments of a greeting: as people write them, as they are kept, and as an adapter takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scrm.blobs import Blobs
from scrm.channel import OutgoingMedia
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.variables import MOMENTS, names_in
from scrm.views import Id, Input, View

NAMES: tuple[str, ...] = ("customer.name", "agent.name", "company.name", *MOMENTS)
"""Variables of a greeting; the page words each."""
MOST_PARTS = 9
CARDS = ("link", "miniprogram")

PartKind = Literal["image", "link", "miniprogram", "video", "file"]

OF_UPLOAD = """
select sha256, name, mime, size, width, height from attachment
where id = $1 and uploaded_by = $2 and state = 'stored' and sha256 is not null
"""
OF_MATERIAL = """
select kind, content, title, sha256, name, mime, size, width, height from material where id = $1 and deleted_at is null
  and (reach = 'company' or (reach = 'team' and ($3 or team_id = any($4::bigint[]))) or (reach = 'personal' and owner_id = $2))
"""


class File(BaseModel):
    """Bytes in the store and what is known about them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    name: str
    mime: str
    size: int
    width: int = 0
    height: int = 0


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: PartKind
    content: dict[str, Any] = Field(default_factory=dict)
    file: File | None = None


class Content(BaseModel):
    """As it is kept. ``unnamed`` stands in place of a name that the platform did not tell in time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    parts: tuple[Part, ...] = ()
    unnamed: str = "您"


class PartInput(Input):
    """One attachment. A new file comes from an upload of one's own or a material; ``keep``: the file of that part (counted from 0)
    of what is there now."""

    kind: PartKind
    content: dict[str, Any] = Field(default_factory=dict)
    attachment_id: Id | None = None
    material_id: Id | None = None
    keep: Annotated[int, Field(ge=0, lt=MOST_PARTS)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> PartInput:
        if sum(one is not None for one in (self.attachment_id, self.material_id, self.keep)) > 1:
            raise ValueError("An attachment has one file.")
        return self


class GreetingContentInput(Input):
    text: Annotated[str, Field(max_length=4000)] = ""
    parts: Annotated[list[PartInput], Field(max_length=MOST_PARTS)] = Field(default_factory=list)
    unnamed: Annotated[str, Field(min_length=1, max_length=20)] = "您"


class PartFileView(View):
    name: str
    mime: str
    size: int
    width: int
    height: int
    url: str


class GreetingPartView(View):
    kind: PartKind
    content: dict[str, Any]
    file: PartFileView | None


class GreetingContentView(View):
    text: str
    parts: list[GreetingPartView]
    unnamed: str


def content_view(content: Content, url: str) -> GreetingContentView:
    """``url``: where its files are shown, by their number, from 1 as everything in an address is."""
    parts = []
    for number, part in enumerate(content.parts, 1):
        file = part.file
        seen = None
        if file is not None:
            seen = PartFileView(**file.model_dump(exclude={"sha256"}), url=f"{url}/{number}")
        parts.append(GreetingPartView(kind=part.kind, content=part.content, file=seen))
    return GreetingContentView(text=content.text, parts=parts, unnamed=content.unnamed)


async def take_in(
    work: Work, principal: Principal, said: GreetingContentInput, before: Content | None, *, field: str = "content"
) -> Content:
    """With its files found. Raises :class:`Unprocessable` for what cannot be sent."""
    if not said.text.strip() and not said.parts:
        raise Unprocessable("A greeting needs words or an attachment.", fields={field: "Write something."})
    return await written(work, principal, said, before, field=field)


async def written(
    work: Work,
    principal: Principal,
    said: GreetingContentInput,
    before: Content | None,
    *,
    field: str = "content",
    names: Sequence[str] = NAMES,
) -> Content:
    """As :func:`take_in`; nothing at all is a draft's right. ``names``: the variables there are."""
    unknown = [name for name in names_in(said.text) if name not in names]
    if unknown:
        raise Unprocessable(f"There is no variable {', '.join(unknown)}.", fields={field: "Choose one of the list."})
    held = before.parts if before is not None else ()
    parts = [await _part(work, principal, part, held, field) for part in said.parts]
    return Content(text=said.text.strip(), parts=tuple(parts), unnamed=said.unnamed)


async def _part(work: Work, principal: Principal, part: PartInput, held: Sequence[Part], field: str) -> Part:
    content, file = dict(part.content), None
    if part.keep is not None:
        if part.keep >= len(held):
            raise Unprocessable("This attachment is no longer there.", fields={field: "Add it again."})
        file = held[part.keep].file
    elif part.attachment_id is not None:
        row = await work.tx.fetchrow(OF_UPLOAD, part.attachment_id, principal.agent_id)
        if row is None:
            raise Unprocessable("This upload does not exist or is too old.", fields={field: "Upload it again."})
        file = _file(row)
    elif part.material_id is not None:
        row = await work.tx.fetchrow(
            OF_MATERIAL, part.material_id, principal.agent_id, principal.reach == "all", list(principal.team_ids)
        )
        if row is None or row["kind"] != part.kind:
            raise Unprocessable("This material is no longer there.", fields={field: "Choose another one."})
        content = content or dict(row["content"])
        file = _file(row) if row["sha256"] is not None else None
    return checked(Part(kind=part.kind, content=content, file=file), field)


def checked(part: Part, field: str) -> Part:
    """Raises :class:`Unprocessable` for a part that lacks what its kind needs."""
    needs = {"link": ("title", "url"), "miniprogram": ("title", "app_id", "path")}.get(part.kind, ())
    lacks = [name for name in needs if not str(part.content.get(name) or "").strip()]
    if lacks:
        raise Unprocessable(f"A {part.kind} needs its {' and '.join(lacks)}.", fields={field: f"Fill in {lacks[0]}."})
    if part.kind == "link" and not str(part.content["url"]).startswith(("http://", "https://")):
        raise Unprocessable("The address of a link starts with https://.", fields={field: "Write the full address."})
    if part.kind != "link" and part.file is None:
        raise Unprocessable(f"A {part.kind} needs a file.", fields={field: "Add its file or cover."})
    mime = part.file.mime if part.file is not None else ""
    fits = {"image": "image/", "video": "video/", "link": "image/", "miniprogram": "image/"}.get(part.kind, "")
    if mime and not mime.startswith(fits):
        raise Unprocessable(
            f"{part.file.name if part.file else ''} is no {part.kind}.", fields={field: "Choose another file."}
        )
    return part


def _file(row: Row) -> File:
    return File(**{name: row[name] for name in ("sha256", "name", "mime", "size", "width", "height")})


def outgoing(content: Content, blobs: Blobs) -> list[GreetingPart]:
    """As the adapter takes them."""
    return [
        GreetingPart(AttachmentKind(part.kind), dict(part.content), _media(part.file, blobs) if part.file else None)
        for part in content.parts
    ]


def _media(file: File, blobs: Blobs) -> OutgoingMedia:
    async def read() -> bytes:
        return await blobs.read(file.sha256)

    return OutgoingMedia(file.sha256, file.name, file.mime, file.size, read)
