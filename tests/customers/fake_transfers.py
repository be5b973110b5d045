"""A platform that hands relations over and does as the test says, to ask what no simulator does on purpose: dying in mid-call."""

from __future__ import annotations

from collections.abc import Sequence

from scrm.channel import Sentence
from scrm.channel_contacts import TransferAnswer, TransferState, Unassigned
from scrm.connections import Loaded
from scrm.errors import Uncertain
from scrm.services import Services


class FakeTransfers:
    transfer_batch = 100
    transfer_text_limit = 200
    group_transfer_batch = 100

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, tuple[str, ...], bool]] = []
        self.groups: list[tuple[tuple[str, ...], str, bool]] = []
        self.state: dict[str, TransferState] = {}
        self.full: set[str] = set()
        self.drop_answer = False
        self.die = False

    async def close(self) -> None:
        """Nothing is open."""

    def refuse(self, *names: str) -> None:
        self.state |= dict.fromkeys(names, TransferState.REFUSED)

    def through(self, *names: str) -> None:
        self.state |= dict.fromkeys(names, TransferState.DONE)

    async def transfer(
        self, from_id: str, to_id: str, contact_ids: Sequence[str], *, left: bool, text: str = ""
    ) -> Sequence[TransferAnswer]:
        if self.die:
            self.die = False
            raise KeyboardInterrupt
        self.asked.append((from_id, to_id, tuple(contact_ids), left))
        for one in contact_ids:
            self.state[one] = TransferState.TAKER_FULL if one in self.full else TransferState.WAITING
        if self.drop_answer:
            self.drop_answer = False
            raise Uncertain("timed_out", Sentence("没有回应", "No answer"))
        return [TransferAnswer(one, self.state[one]) for one in contact_ids]

    async def transfer_results(
        self, from_id: str, to_id: str, *, left: bool, cursor: str
    ) -> tuple[Sequence[TransferAnswer], str]:
        names = sorted(self.state)
        at = int(cursor or 0)
        return [TransferAnswer(one, self.state[one]) for one in names[at : at + 1]], str(at + 1) if at + 1 < len(
            names
        ) else ""

    async def unassigned(self, cursor: str) -> tuple[Sequence[Unassigned], str]:
        return [], ""

    async def transfer_groups(self, group_ids: Sequence[str], to_id: str, *, left: bool) -> Sequence[TransferAnswer]:
        self.groups.append((tuple(group_ids), to_id, left))
        return [TransferAnswer(one, TransferState.DONE) for one in group_ids]


def put_in(services: Services, connection_id: int, fake: FakeTransfers) -> None:
    """The connection's adapter from now on."""
    old = services.connections._by_id[connection_id]
    services.connections._by_id[connection_id] = Loaded(
        old.id,
        old.provider,
        old.key,
        old.name,
        old.version,
        False,
        fake,  # type: ignore[arg-type]
    )
