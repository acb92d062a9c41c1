"""What a node remembers of others' databases: only a loss is a loss, and only its end ends it."""

from bus.contract.channel import is_remembered
from bus.contract.problem import is_unheard_of
from bus.runtime.peers import Peer, alarms, forgot, met

DAY = 86_400_000
KNOWN = Peer("first", 100, "boot-1")


def kind(peer: Peer) -> str | None:
    """Of what was lost, if anything."""
    return None if peer.loss is None else peer.loss.kind


def test_a_database_that_goes_on_is_no_loss_whichever_start_plays_it() -> None:
    peer = met(None, "first", 100, "boot-1", 1)
    assert peer == KNOWN
    peer = met(peer, "first", 100, "boot-2", 2)
    assert met(peer, "first", 101, "boot-2", 3) == Peer("first", 101, "boot-2")


def test_another_database_is_a_loss_until_the_one_before_is_back() -> None:
    peer = met(KNOWN, "second", 3, "boot-2", 5)
    assert kind(peer) == "database-replaced"
    peer = met(peer, "second", 900, "boot-2", 6)
    assert kind(peer) == "database-replaced", "however far the new one comes"
    assert kind(met(peer, "third", 1, "boot-3", 7)) == "database-replaced"
    assert kind(met(peer, "first", 99, "boot-3", 7)) == "database-replaced", "an old copy of it"
    assert kind(met(peer, "first", 100, "boot-3", 7)) is None


def test_an_older_copy_is_a_loss_also_when_it_has_grown_as_far() -> None:
    peer = met(KNOWN, "first", 60, "boot-2", 5)
    assert kind(peer) == "database-older"
    peer = met(peer, "first", 140, "boot-2", 6)
    assert kind(peer) == "database-older"
    assert kind(met(peer, "first", 150, "boot-3", 7)) == "database-older"
    back = met(met(KNOWN, "first", 60, "boot-2", 5), "first", 100, "boot-3", 6)
    assert kind(back) is None


def test_who_does_not_know_what_it_must_know_has_lost_it_until_it_has_another_database() -> None:
    peer = forgot(KNOWN, 5)
    assert kind(peer) == "database-older"
    assert forgot(peer, 9).loss == peer.loss
    assert kind(met(peer, "first", 500, "boot-2", 6)) == "database-older"
    assert kind(met(peer, "second", 1, "boot-2", 6)) is None
    unnamed = forgot(None, 5)
    assert kind(unnamed) == "database-older"


def test_a_refusal_tells_ignorance_from_a_state_that_does_not_fit() -> None:
    assert is_unheard_of({"code": "unknown-order", "state": ""})
    assert is_unheard_of({"code": "unknown-job", "state": ""})
    assert is_unheard_of({"code": "wrong-state", "state": None})
    assert not is_unheard_of({"code": "wrong-state", "state": "released"})
    assert not is_unheard_of({"code": "unknown-sku", "state": ""})
    assert not is_unheard_of({"code": None, "state": None})


def test_a_loss_is_told_for_a_day_about_its_node() -> None:
    peers = {"settlement": met(KNOWN, "second", 3, "boot-2", 5), "catalog": KNOWN}
    (alarm,) = alarms(peers, "catalog", 1_800_000_000_000, 5 + DAY - 1)
    assert (alarm.kind, alarm.subject) == ("database-replaced", "settlement")
    assert "--data" in alarm.detail
    assert not alarms(peers, "catalog", 1_800_000_000_000, 5 + DAY)


def test_the_databases_of_roles_and_sorters_are_remembered() -> None:
    found = [each for each in ("catalog", "sorter-2", "terminal-1", "web-1") if is_remembered(each)]
    assert found == ["catalog", "sorter-2"]
