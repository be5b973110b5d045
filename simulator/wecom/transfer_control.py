"""What becomes of hand-overs; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from simulator.control import operation
from simulator.wecom.state import WAITING, Corp
from simulator.wecom.transfers import Ripening


class TransferControl:
    _ripening: Ripening

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def answer_transfer(self, corp_id: str, external_userid: str, accepts: bool) -> int:
        """A customer who is being handed over refuses, or ends the waiting. Returns the status (1 done, 3 refused, 4 full)."""
        corp = self._corp(corp_id)
        waiting = [t for t in corp.transfers if t.external_userid == external_userid and t.status == WAITING]
        if not waiting:
            raise LookupError(f"{external_userid} is not being handed over")
        self._ripening.decide(corp, waiting[-1], self._now(), refused=not accepts)
        return waiting[-1].status

    @operation
    def refuse_transfers(self, corp_id: str, external_userid: str, refuses: bool = True) -> None:
        """From now on the customer will refuse every hand-over when its time comes."""
        self._corp(corp_id).customers[external_userid].refuses_transfers = refuses
