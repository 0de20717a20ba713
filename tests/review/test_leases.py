"""Promises of leases."""

from relabel.review.leases import SECONDS, Leases


def test_a_lease_keeps_others_away_until_it_ends() -> None:
    """The holder may always come back; others once the time is over."""
    clock = [0.0]
    leases = Leases(lambda: clock[-1])
    leases.take(7, "ann")
    assert (leases.free(7, "ann"), leases.free(7, "bob")) == (True, False)
    clock.append(SECONDS)
    assert leases.free(7, "bob")


def test_who_speaks_keeps_the_cards_and_gives_back_the_others() -> None:
    """A word of the holder prolongs what it names, lets go of the rest, and takes nothing that is somebody else's."""
    clock = [0.0]
    leases = Leases(lambda: clock[-1])
    for question, holder in ((1, "ann"), (2, "ann"), (3, "bob")):
        leases.take(question, holder)
    clock.append(SECONDS - 1)
    leases.hold([1, 3], "ann")
    assert leases.free(2, "bob")
    clock.append(SECONDS - 0.5)
    assert not leases.free(3, "ann")
    clock.append(SECONDS + 1)
    assert not leases.free(1, "bob")
    assert leases.free(3, "ann")


def test_a_release_by_another_holder_does_nothing() -> None:
    """Only who has a question lets it go."""
    leases = Leases(lambda: 0.0)
    leases.take(1, "ann")
    leases.release(1, "bob")
    assert not leases.free(1, "bob")
    leases.release(1, "ann")
    assert leases.free(1, "bob")
