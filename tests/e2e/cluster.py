#!/usr/bin/env python3
# tests/run: timeout=240 variants=default alone
"""Real clusters of two nodes, real packets: the short form of `make lab`.

Corosync and Pacemaker (and once keepalived) run in namespaces, the route that brings a client's packets follows what the
simulated cloud's API says, and a client asks every 5 ms.  What is checked is order, counts and who
answered.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lab"))
import scenarios  # noqa: E402
import stage  # noqa: E402
import vrrp  # noqa: E402

AWS = stage.KINDS[0]


def test_an_address_in_route_tables(t):
    play = scenarios.Play(t, AWS)
    for scenario in (scenarios.planned_move, scenarios.node_killed, scenarios.api_down, scenarios.frozen_node):
        with t.subtest(scenario.__name__.replace("_", " ")):
            scenario(play)
        play.again()


def test_a_planned_move_loses_nothing(t):
    scenarios.planned_move_in_place(scenarios.Play(t, AWS, everywhere=True, settings={"local_address": "no"}))


@stage.tap.cases([k for k in stage.KINDS if k.scenario in ("havip", "elastic-ip") and k.provider == "aliyun"],
                 lambda kind: kind.name)
def test_a_node_that_dies(t, kind):
    scenarios.node_killed(scenarios.Play(t, kind))


def test_keepalived(t):
    scenarios.keepalived_killed(scenarios.Play(t, AWS, engine=vrrp.Keepalived, settings={"local_address": "no"}))


if __name__ == "__main__":
    stage.enter()
    stage.tap.main()
