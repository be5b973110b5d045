"""What members and customers do with moments; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from simulator.control import operation
from simulator.wecom.settings import DAY, HOUR, Settings
from simulator.wecom.state import Corp, Follow, Moment, MomentOfMember, MomentReaction, new_id

_ZONE = 8 * HOUR


class MomentControl:
    _settings: Settings

    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def moments(self, corp_id: str) -> list[Moment]:
        """Those that are made, of the company and of its members, oldest first."""
        return [one for one in self._corp(corp_id).moments.values() if self._now() >= one.ready]

    @operation
    def enable_moments(self, corp_id: str, enabled: bool = True) -> None:
        """Whether the company has moments; else 41211."""
        self._corp(corp_id).moments_enabled = enabled

    @operation
    def publish_moment(self, corp_id: str, moment_id: str, userid: str) -> MomentOfMember:
        """A member publishes what the company has asked for. Who sees it is decided now: the member's customers with one of the tags, but
        those who deleted the member or have seen as many moments of the company today as a day has."""
        corp, moment = self._corp(corp_id), self._made(corp_id, moment_id)
        mine = moment.members[userid.lower()]
        if moment.cancelled:
            raise ValueError("the moment was taken back")
        if not mine.published:
            mine.published = self._now()
            follows = [one[mine.userid] for one in corp.follows.values() if mine.userid in one]
            meant = [one for one in follows if not moment.tags or set(one.tag_ids) & set(moment.tags)]
            mine.chosen = [one.external_userid for one in meant]
            mine.shown = [one.external_userid for one in meant if self._sees(corp, one, personal=bool(moment.creator))]
        return mine

    @operation
    def post_own_moment(self, corp_id: str, userid: str, text: str) -> str:
        """A member posts something of their own. Returns its id."""
        corp, now = self._corp(corp_id), self._now()
        member = corp.members[userid.lower()]
        moment = Moment(new_id("mom"), text, [], now, now, creator=member.userid)
        moment.members[userid.lower()] = MomentOfMember(member.userid)
        corp.moments[moment.moment_id] = moment
        self.publish_moment(corp_id, moment.moment_id, userid)
        return moment.moment_id

    @operation
    def like_moment(self, corp_id: str, moment_id: str, userid: str, who: str) -> None:
        """A customer who sees the member's moment, or a colleague, likes it. Once."""
        mine = self._seen(corp_id, moment_id, userid, who)
        if all(one.who != who for one in mine.likes):
            mine.likes.append(MomentReaction(who, self._now()))

    @operation
    def unlike_moment(self, corp_id: str, moment_id: str, userid: str, who: str) -> None:
        """Takes a like back."""
        mine = self._seen(corp_id, moment_id, userid, who)
        mine.likes = [one for one in mine.likes if one.who != who]

    @operation
    def comment_moment(self, corp_id: str, moment_id: str, userid: str, who: str, text: str = "") -> None:
        """The words stay between them."""
        mine = self._seen(corp_id, moment_id, userid, who)
        mine.comments.append(MomentReaction(who, self._now(), text))

    def _made(self, corp_id: str, moment_id: str) -> Moment:
        moment = self._corp(corp_id).moments[moment_id]
        if self._now() < moment.ready:
            raise LookupError(f"the moment {moment_id} is not made yet")
        return moment

    def _seen(self, corp_id: str, moment_id: str, userid: str, who: str) -> MomentOfMember:
        mine = self._made(corp_id, moment_id).members[userid.lower()]
        if not mine.published or (who not in mine.shown and who.lower() not in self._corp(corp_id).members):
            raise ValueError(f"{who} does not see it")
        return mine

    def _sees(self, corp: Corp, follow: Follow, *, personal: bool) -> bool:
        if follow.one_sided:
            return False
        if personal:
            return True
        today, who = (self._now() + _ZONE) // DAY, follow.external_userid
        seen = [at for at in corp.moments_seen.get(who, []) if (at + _ZONE) // DAY == today]
        if len(seen) >= self._settings.moments_seen_per_day:
            return False
        corp.moments_seen[who] = [*seen, self._now()]
        return True
