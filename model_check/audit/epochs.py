"""Audits of epochs: that they only rise, by what is heard or by a step of one's own."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Situation
from reference.core.effects import Broadcast, Happening, Refusal, Reply, SaveConfig
from reference.core.epoch_kinds import LAST_EPOCH, EpochKind, kind_of, round_of
from reference.core.events import ClusterBumpEpoch, ClusterReset, ClusterSetConfigEpoch
from reference.core.messages import Pong, Update
from reference.core.state import ClusterState
from reference.core.types import Epoch

_OWN_STEPS = (
    Happening.STARTED_ELECTION,
    Happening.EPOCH_COLLISION,
    Happening.NEW_EPOCH,
    Happening.KEPT_TAKEN,
)


def current_epochs(here: Situation) -> Iterator[Breach]:
    """EP-1, EP-14, EL-4: epochs of the node itself, which only rise."""
    before, after = here.before, here.after
    if after.myself_id != before.myself_id:  # a hard reset makes another node of it
        return
    if after.current_epoch < before.current_epoch:
        yield Breach("EP-1", f"currentEpoch goes back {_from_to(before, after, 'current_epoch')}")
    if after.last_vote_epoch < before.last_vote_epoch:
        yield Breach(
            "EL-4", f"last_vote_epoch goes back {_from_to(before, after, 'last_vote_epoch')}"
        )
    heard = 0 if here.header is None or here.sender is None else here.header.current_epoch
    if here.rules.merge_current_epoch and heard > after.current_epoch:
        yield Breach(
            "EP-1", f"hears of epoch {heard} and stays at currentEpoch {after.current_epoch}"
        )
    own = here.tells(*_OWN_STEPS) or isinstance(here.event, ClusterSetConfigEpoch)
    if (
        here.message is not None
        and not own
        and after.current_epoch > max(heard, before.current_epoch)
    ):
        yield Breach("EP-1", f"raises its currentEpoch to {after.current_epoch}, unheard of")
    rose = after.current_epoch > before.current_epoch
    if rose and here.rules.learnt_epoch_is_saved and not here.did(SaveConfig):
        yield Breach("EP-14", f"does not save its currentEpoch of {after.current_epoch}")


def config_epochs(here: Situation) -> Iterator[Breach]:
    """EP-2, EP-3, SC-6: the config_epochs that a header or an UPDATE tells, and no others."""
    sender, claim = here.sender, here.claim
    if sender is None:
        return
    for was in here.before.nodes:
        now = here.after.nodes.get(was.node_id)
        if now is None or was.node_id == here.before.myself_id or _is_replacing(here, was.node_id):
            continue
        told = here.merged_epoch if was.node_id == sender.node_id else was.config_epoch
        clause_id = "EP-2" if here.header and here.header.replicaof is None else "EP-3"
        if claim is not None and claim.owner == was.node_id and here.heartbeat is None:
            told, clause_id = max(told, claim.epoch), "SC-6"
        if now.config_epoch != told and (
            here.rules.config_epoch_only_rises or now.config_epoch < told
        ):
            yield Breach(
                clause_id,
                f"has {now.config_epoch} as the configEpoch of {was.node_id}, which was "
                f"{was.config_epoch} and is {told} by what it heard",
            )


def _is_replacing(here: Situation, node_id: str) -> bool:
    """Whether the node is named by one that gives up its role to it (SC-29, SC-35)."""
    named = here.named
    return here.gives_up and named is not None and named.node_id == node_id


def told_epochs(here: Situation) -> Iterator[Breach]:
    """HB-17: what a replica announces of its master is kept, and old headers are not heard."""
    heeds = here.rules.old_headers_are_ignored
    if here.heartbeat is not None and here.sender is not None:
        ignored = here.tells(Refusal.OLD_HEADER)
        if ignored != (heeds and here.is_old):
            does = "ignores" if ignored else "takes in"
            yield Breach(
                "HB-17",
                f"{does} a header of {here.sender.node_id} with currentEpoch "
                f"{here.heartbeat.current_epoch}, of which it knows configEpoch "
                f"{max(here.merged_epoch, here.sender.told_epoch)}",
            )
    for was in here.before.nodes:
        now = here.after.nodes.get(was.node_id)
        if now is None or here.after.myself_id != here.before.myself_id:
            continue
        known = max(was.config_epoch, was.told_epoch)
        named = here.named is not None and here.named.node_id == was.node_id
        if named and here.heartbeat is not None and heeds and not here.is_old:
            known = max(known, here.heartbeat.config_epoch)
        if isinstance(here.event, ClusterReset):
            continue
        if heeds and max(now.config_epoch, now.told_epoch) < known:
            yield Breach("HB-17", f"forgets that {was.node_id} has had configEpoch {known}")
        if now.told_epoch > was.told_epoch and not (named and heeds and now.told_epoch == known):
            yield Breach("HB-17", f"notes that {was.node_id} has had {now.told_epoch}, unheard of")


def collisions(here: Situation) -> Iterator[Breach]:
    """EP-4, EP-5: who moves when two masters have one configEpoch."""
    mine = here.before.myself.config_epoch
    for note in here.noticed(Happening.EPOCH_COLLISION):
        smaller = note.subject is not None and note.subject < here.before.myself_id
        if smaller and here.rules.collision_moves_smaller_id_only:
            yield Breach("EP-5", f"moves, though {note.subject} has the smaller name")
        if here.header is not None and here.header.config_epoch != mine:
            yield Breach("EP-4", f"moves from configEpoch {mine}, and nobody has the same")
    header, myself = here.heartbeat, here.after.myself
    other = None if header is None else here.after.nodes.get(header.sender)
    if header is None or other is None or header.replicaof is not None or not here.listens:
        return
    collide = header.config_epoch == other.config_epoch == myself.config_epoch
    masters = myself.is_master and other.is_master
    moves = other.node_id > myself.node_id or not here.rules.collision_moves_smaller_id_only
    last = here.after.current_epoch >> 32 == LAST_EPOCH >> 32
    if here.rules.collision_resolution and collide and masters and moves and not last:
        yield Breach(
            "EP-4", f"stays at configEpoch {myself.config_epoch}, which {other.node_id} has too"
        )


def own_epochs(here: Situation) -> Iterator[Breach]:
    """EP-11, EP-13, EP-D1: which epoch a node takes of its own accord."""
    by_hand = here.tells(Happening.TOOK_OVER)
    kinds = {
        Happening.STARTED_ELECTION: EpochKind.ELECTED,
        Happening.EPOCH_COLLISION: EpochKind.KEPT,
        Happening.NEW_EPOCH: EpochKind.TAKEN_OVER if by_hand else EpochKind.KEPT,
        Happening.KEPT_TAKEN: EpochKind.DEFENDED,
    }
    steps = list(here.noticed(*kinds))
    for note in steps:
        if note.epoch is not None and len(steps) == 1 and isinstance(note.what, Happening):
            yield from _next(here, note.epoch, kinds[note.what])
        if note.what is not Happening.STARTED_ELECTION:
            now = here.after.myself.config_epoch
            if len(steps) == 1 and not note.epoch == now == here.after.current_epoch:
                yield Breach("EP-11", f"takes epoch {note.epoch}, and has configEpoch {now} then")
    yield from _needless(here)


def _next(here: Situation, epoch: Epoch, kind: EpochKind) -> Iterator[Breach]:
    heard = 0 if here.header is None or here.sender is None else here.header.current_epoch
    current = max(here.before.current_epoch, heard if here.rules.merge_current_epoch else 0)
    if not here.rules.unique_epochs:
        if epoch != min(current + 1, LAST_EPOCH):
            yield Breach("EP-11", f"takes epoch {epoch} after {current}")
        return
    known = [node.config_epoch for node in here.before.nodes]
    newest = max(current, here.merged_epoch, *known)
    if here.claim is not None:
        newest = max(newest, here.claim.epoch)
    of_its_own = kind_of(epoch, here.before.myself_id) is kind
    if not of_its_own or round_of(epoch) != round_of(newest) + 1:
        yield Breach("EP-13", f"takes epoch {epoch} after {newest}, which others may take too")


def _needless(here: Situation) -> Iterator[Breach]:
    """EP-11: no new epoch for a node that has the largest."""
    before = here.before
    mine = before.myself.config_epoch
    others = [node.config_epoch for node in here.after.nodes if node.node_id != before.myself_id]
    heard = 0 if here.header is None or here.sender is None else here.header.current_epoch
    newest = max(before.current_epoch, heard, *others, 0)
    if here.tells(Happening.NEW_EPOCH) and mine >= newest and mine != 0:
        yield Breach(
            "EP-11", f"takes another epoch, though its own, {mine}, is the largest it knows"
        )


def announcements(here: Situation) -> Iterator[Breach]:
    """EP-6: whether a new configEpoch is told at once."""
    if not here.tells(Happening.EPOCH_COLLISION, Happening.NEW_EPOCH):
        return
    told = any(isinstance(sent.message, Pong) for sent in here.did(Broadcast))
    otherwise = here.leads or here.followed or here.message is None
    if told != here.rules.bump_is_broadcast and not otherwise:
        does = "tells all at once" if told else "does not tell all at once"
        yield Breach("EP-6", f"{does} that its configEpoch is {here.after.myself.config_epoch}")


def by_hand(here: Situation) -> Iterator[Breach]:
    """EP-9, EP-12: what an operator may do to epochs, and is answered."""
    replies = here.did(Reply)
    mine, now = here.before.myself.config_epoch, here.after.myself.config_epoch
    if isinstance(here.event, ClusterBumpEpoch):
        word = "STILL" if not here.tells(Happening.NEW_EPOCH) else "BUMPED"
        others = [node.config_epoch for node in here.before.nodes]
        largest = mine != 0 and mine >= max(here.before.current_epoch, *others)
        if largest != (mine == now) or [each.status for each in replies] != [f"{word} {now}"]:
            said = ", ".join(each.status for each in replies)
            yield Breach("EP-12", f"answers {said} to BUMPEPOCH; configEpoch {mine} -> {now}")
    if isinstance(here.event, ClusterSetConfigEpoch):
        wanted = here.event.config_epoch
        alone = len(here.before.nodes) == 1 and mine == 0
        obeys = alone and 0 <= wanted <= LAST_EPOCH
        refused = any(each.error is not None for each in replies)
        kept = here.after.current_epoch >= wanted if obeys else here.after == here.before
        if refused == obeys or now != (wanted if obeys else mine) or not kept:
            does = "refuses" if refused else "obeys"
            yield Breach("EP-9", f"{does} SET-CONFIG-EPOCH {wanted} with configEpoch {mine}")


def _from_to(before: ClusterState, after: ClusterState, name: str) -> str:
    return f"{getattr(before, name)} -> {getattr(after, name)}"


def saves(here: Situation) -> Iterator[Breach]:
    """MO-7: a header that changes nothing costs nothing, and least of all a save.

    An UPDATE can tell something new that is not believed.
    """
    idle = here.before == here.after and not isinstance(here.message, Update)
    if here.message is not None and idle and here.did(SaveConfig):
        yield Breach("MO-7", "saves, though the message changed nothing")


def saved_votes(here: Situation) -> Iterator[Breach]:
    """EL-10: what is saved has the last vote."""
    saved, voted = here.saved, here.after.last_vote_epoch
    if saved is not None and saved.last_vote_epoch != voted:
        yield Breach(
            "EL-10",
            f"saves last_vote_epoch {saved.last_vote_epoch}, and has voted in epoch {voted}",
        )
