"""What a clone is told of its instances: variables in, values out."""

from tocsin_ocf.call import META, Call
from tocsin_ocf.notification import Instance, Notification


def told(**variables: str) -> Call:
    """Return a call of notify."""
    return Call({f"{META}notify_{name}".encode(): value.encode() for name, value in variables.items()})


def test_all_lists_are_pairs_of_instance_and_node() -> None:
    """As Pacemaker 2.1 tells them."""
    heard = Notification(
        told(
            type="post",
            operation="promote",
            start_resource="db:1 db:2",
            start_uname="n2 n3",
            promote_resource="db:0",
            promote_uname="n1",
            stop_resource=" ",
            active_resource="db:0",
            active_uname="n1",
            inactive_resource="db:1 db:2",
            promoted_resource=" ",
            unpromoted_resource="db:0",
            unpromoted_uname="n1",
            available_uname="n1 n2 n3",
        )
    )
    assert (heard.type, heard.operation, heard.nodes) == ("post", "promote", ("n1", "n2", "n3"))
    assert heard.starting == (Instance("db:1", "n2"), Instance("db:2", "n3"))
    assert heard.promoting == heard.active == heard.unpromoted == (Instance("db:0", "n1"),)
    assert heard.inactive == (Instance("db:1", ""), Instance("db:2", ""))
    assert heard.stopping == heard.demoting == heard.promoted == ()


def test_the_former_words_for_the_roles_are_read_too() -> None:
    """Pacemaker before 2.1 knows no other."""
    heard = Notification(told(master_resource="db:0", master_uname="n1", slave_resource="db:1", slave_uname="n2"))
    assert (heard.promoted, heard.unpromoted) == ((Instance("db:0", "n1"),), (Instance("db:1", "n2"),))


def test_instances_are_values() -> None:
    """Sets of them can be compared, and a log can show them."""
    assert {Instance("a", "n"), Instance("a", "n")} == {Instance("a", "n")}
    assert Instance("a", "n") != Instance("a", "m") and Instance("a", "n") != "a on n"
    assert [repr(Instance("a", "n")), repr(Instance("a", ""))] == ["a on n", "a"]
