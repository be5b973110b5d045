"""What a rep says, piece by piece: a text, a file, a card. Each piece becomes one message.

A piece names its file by where it comes from (an upload, a material, a quick reply); :func:`resolve` finds the bytes and checks
that they may be used. What is kept for later (quick replies, scheduled answers) holds the file itself, named by its SHA-256: it
still works when the upload is long gone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from inbox.library.places import VISIBLE, eyes
from inbox.text import clean, clean_json
from scrm.channel import Kind
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import Id, View

MEDIA_KINDS = frozenset({Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.FILE})
CARD_KINDS = frozenset({Kind.LINK, Kind.MINIPROGRAM})
"""Cards may have a cover."""

OF_UPLOAD = """
select id, sha256, name, mime, size, width, height from attachment
where id = $1 and uploaded_by = $2 and message_id is null and state = 'stored' and sha256 is not null for update
"""
OF_MATERIAL = f"""
select x.sha256, x.name, x.mime, x.size, x.width, x.height, x.kind, x.content from material x
where x.id = $4 and x.deleted_at is null and {VISIBLE}
"""  # noqa: S608
OF_REPLY = f"""
select x.parts -> $5::int -> 'file' as file from quick_reply x
where x.id = $4 and x.deleted_at is null and {VISIBLE}
"""  # noqa: S608


class FileOfReply(BaseModel):
    """The file of a quick reply's piece, counted from 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    part: Annotated[int, Field(ge=0, le=20)]


class Piece(BaseModel):
    """One piece. At most one of ``attachment_id`` (an upload of one's own), ``material_id`` and ``of_reply`` names its file;
    image, voice, video and file need one. A card's cover comes the same way."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Kind.TEXT
    text: Annotated[str, Field(max_length=20_000)] = ""
    content: dict[str, Any] = Field(default_factory=dict)
    attachment_id: Id | None = None
    material_id: Id | None = None
    of_reply: FileOfReply | None = None

    @property
    def names_file(self) -> bool:
        return any(one is not None for one in (self.attachment_id, self.material_id, self.of_reply))


class FileView(View):
    """A file that belongs to something kept; ``url`` shows it."""

    name: str
    mime: str
    size: int
    width: int
    height: int
    url: str


class PartView(View):
    kind: str
    text: str
    content: dict[str, Any]
    file: FileView | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes in the store and what is known about them. ``attachment_id``: the upload that still waits for its message."""

    sha256: str
    name: str
    mime: str
    size: int
    width: int = 0
    height: int = 0
    attachment_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A piece with its file found."""

    kind: Kind
    text: str
    content: dict[str, Any]
    file: StoredFile | None
    material_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """To be kept. The upload is let go: only the bytes count."""
        kept = asdict(self.file) if self.file is not None else None
        if kept is not None:
            kept.pop("attachment_id")
        return {
            "kind": str(self.kind),
            "text": self.text,
            "content": self.content,
            "file": kept,
            "material_id": self.material_id,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> StoredPart:
        file = StoredFile(**kept["file"]) if kept.get("file") else None
        return cls(Kind(kept["kind"]), kept["text"], kept["content"], file, kept.get("material_id"))

    def with_text(self, text: str) -> StoredPart:
        return replace(self, text=text)


def part_view(kept: dict[str, Any], url: str) -> PartView:
    """``url``: where its file is shown."""
    file = kept.get("file")
    seen = {key: file[key] for key in ("name", "mime", "size", "width", "height")} if file else None
    return PartView(
        kind=kept["kind"], text=kept["text"], content=kept["content"], file=FileView(**seen, url=url) if seen else None
    )


async def resolve(work: Work, principal: Principal, part: Piece) -> StoredPart:
    """Finds the file that a piece names. Raises :class:`Unprocessable`."""
    text, content = clean(part.text), clean_json(part.content)
    if sum(one is not None for one in (part.attachment_id, part.material_id, part.of_reply)) > 1:
        raise Unprocessable("A piece has one file.", fields={"attachment_id": "Name one source."})
    if part.kind not in MEDIA_KINDS and part.kind not in CARD_KINDS:
        return StoredPart(part.kind, text, content, None)
    if part.material_id is not None:
        return await _of_material(work, principal, part, text, content)
    return StoredPart(part.kind, text, content, await _file(work, principal, part))


async def _of_material(work: Work, principal: Principal, part: Piece, text: str, content: dict[str, Any]) -> StoredPart:
    row = await work.tx.fetchrow(OF_MATERIAL, *eyes(principal), part.material_id)
    if row is None:
        raise Unprocessable("This material is no longer there.", fields={"material_id": "Choose another one."})
    file = _stored(row) if row["sha256"] is not None else None
    return StoredPart(part.kind, text, content or row["content"], file, part.material_id)


async def _file(work: Work, principal: Principal, part: Piece) -> StoredFile | None:
    if part.attachment_id is not None:
        row = await work.tx.fetchrow(OF_UPLOAD, part.attachment_id, principal.agent_id)
        if row is None:
            raise Unprocessable(
                "This upload does not exist or was sent already.", fields={"attachment_id": "Upload it again."}
            )
        return replace(_stored(row), attachment_id=row["id"])
    if part.of_reply is not None:
        kept = await work.tx.fetchval(OF_REPLY, *eyes(principal), part.of_reply.id, part.of_reply.part)
        if not kept:
            raise Unprocessable("This quick reply has no such file.", fields={"of_reply": "Choose it again."})
        return StoredFile(**kept)
    return None


def _stored(row: Row) -> StoredFile:
    return StoredFile(row["sha256"], row["name"], row["mime"], row["size"], row["width"], row["height"])
