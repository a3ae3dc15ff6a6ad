"""The acts on AWS: three route tables and an Elastic IP, a node that dies, a budget that is used up."""
import os
import shutil

import draw

VIP = "10.1.0.10"
EIP = "203.0.113.10"
ALLOCATION = "eipalloc-0e000001"
REGION = "eu-central-1"
TABLES = (("rtb-0c000001", "zone a"), ("rtb-0c000002", "zone b"), ("rtb-0c000003", "office"))


class Node:
    """What the demonstration knows of a node before it starts."""

    def __init__(self, name, instance, eni, zone, ip):
        self.name, self.instance, self.eni, self.zone, self.ip = name, instance, eni, zone, ip


NODES = (draw.Node("node1", "i-0a000001", "eni-0a000001", REGION + "a", "10.0.1.11"),
         draw.Node("node2", "i-0b000002", "eni-0b000002", REGION + "b", "10.0.2.12"))


def world():
    """Two nodes in two zones, three route tables, an Elastic IP; both addresses on node1."""
    routes = [{"destination": "10.0.0.0/16", "target": "local"},
              {"destination": VIP + "/32", "target": NODES[0].eni}]
    subnets, instances, interfaces = [], [], []
    for n, node in enumerate(NODES, 1):
        subnet = "subnet-0f00000%d" % n
        subnets.append({"subnet_id": subnet, "vpc_id": "vpc-0d000001", "availability_zone": node.zone,
                        "cidr_block": "10.0.%d.0/24" % n})
        instances.append({"instance_id": node.instance, "state": "running", "subnet_id": subnet,
                          "role": "cluster-node", "tags": {"Name": node.name}})
        interfaces.append({"network_interface_id": node.eni, "subnet_id": subnet, "mac": "02:00:00:00:00:0%d" % n,
                           "private_ips": [node.ip], "source_dest_check": False,
                           "attachment": {"attachment_id": "eni-attach-0a00000%d" % n, "device_index": 0,
                                          "instance_id": node.instance, "status": "attached"}})
    tables = [{"route_table_id": table, "vpc_id": "vpc-0d000001", "tags": {"Name": name}, "routes": routes,
               "associations": []} for table, name in TABLES]
    tables[0]["associations"] = [{"association_id": "rtbassoc-0c000001", "main": True}]
    return {"aws": {
        "region": REGION, "account": "123456789012", "roles": [{"name": "cluster-node"}],
        "vpcs": [{"vpc_id": "vpc-0d000001", "cidr_blocks": ["10.0.0.0/16"]}], "subnets": subnets,
        "internet_gateways": [{"internet_gateway_id": "igw-0d000001", "vpc_id": "vpc-0d000001"}],
        "instances": instances, "network_interfaces": interfaces, "route_tables": tables,
        "addresses": [{"allocation_id": ALLOCATION, "public_ip": EIP, "association_id": "eipassoc-0e000001",
                       "network_interface_id": NODES[0].eni, "private_ip": NODES[0].ip}]}}

def holders(state):
    """{route table or allocation id: (instance, does it answer there?)} of both addresses."""
    aws = state["aws"]
    running = {i["instance_id"] for i in aws["instances"] if i["state"] == "running"}
    alive = {e["network_interface_id"] for e in aws["network_interfaces"]
             if (e.get("attachment") or {}).get("instance_id") in running}
    found = {}
    behind = {node.eni: node.instance for node in NODES}
    for table in aws["route_tables"]:
        for route in table["routes"]:
            if route["destination"] == VIP + "/32":
                eni = route["target"]
                answers = route.get("state", "active") == "active" and eni in alive
                found[table["route_table_id"]] = (behind.get(eni, eni), answers)
    for address in aws["addresses"]:
        if address.get("association_id"):
            eni = address["network_interface_id"]
            found[address["allocation_id"]] = (behind.get(eni, eni), eni in alive)
    return found


NETWORK = draw.Network(
    "VPC 10.0.0.0/16, " + REGION, "routes to %s/32" % VIP, NODES, 12, ((0, 8), (8, 4)),
    [draw.Place(table, 1 + 2 * n, table, name) for n, (table, name) in enumerate(TABLES)]
    + [draw.Place(ALLOCATION, 9, EIP, "Elastic IP")])


def picture(state, before, g):
    """The VPC as a Canvas; what points elsewhere than in the state `before` is marked."""
    now = holders(state)
    serves = {9: (EIP, now[ALLOCATION][0] if now.get(ALLOCATION, (None, False))[1] else None)}
    routed = {now.get(table) for table, _ in TABLES}
    if len(routed) == 1 and None not in routed:
        instance, answers = routed.pop()
        serves[7] = (VIP, instance if answers else None)
    running = {i["instance_id"] for i in state["aws"]["instances"] if i["state"] == "running"}
    return NETWORK.picture(g, running, serves, now, holders(before))


class Acts:
    """They are played in the order of their titles; both addresses are on node1 at first, on node2 at the end."""

    def __init__(self, stage):
        self.stage, self.screen = stage, stage.screen
        for node in NODES:
            stage.configure(node, "aws", vip1={"scenario": "route-table", "address": VIP, "eni": node.eni},
                            eip1={"scenario": "elastic-ip", "address": EIP, "eni": node.eni})
        self.acts = (("Where is the address?", self.act_where), ("The network, as the cloud has it", self.act_picture),
                     ("What would a failover change?", self.act_plan), ("node1 dies", self.act_failover),
                     ("The check that runs every two minutes", self.act_check),
                     ("The cloud says: not so fast", self.act_throttled), ("An answer gets lost", self.act_lost_answer))

    def expect_on(self, vip_node, eip_node):
        """Where the cloud itself has both addresses, whatever the programs said."""
        want = {table: (vip_node.instance, True) for table, _ in TABLES}
        want[ALLOCATION] = (eip_node.instance, True)
        self.stage.expect("where the cloud has the addresses", holders(self.stage.cloud.ask("GET", "state")), want)

    def act_where(self):
        one = NODES[0]
        self.screen.say("""Two addresses are protected: %s, which three route tables send to the node in charge,
            and the Elastic IP %s. This is all that has to be configured for the first of them:""" % (VIP, EIP))
        self.stage.show_file(one, "resources.d/vip1.conf")
        run = self.stage.run(one, "cloudvip", "status")
        self.stage.expect_run(run, "status on node1", 0, VIP, EIP, one.eni)
        self.expect_on(one, one)

    def act_picture(self):
        self.screen.say("""Drawn from the simulated cloud's own state, not from what cloudvip says.""")
        self.stage.draw(holders, picture)

    def act_plan(self):
        self.screen.say("""Asked on node2: plan reads the cloud and shows what restore would change.
            Nothing is changed yet.""")
        run = self.stage.run(NODES[1], "cloudvip", "plan", "vip1")
        self.stage.expect_run(run, "plan on node2", 0, "3 to change", *[t for t, _ in TABLES])
        self.expect_on(NODES[0], NODES[0])

    def act_failover(self):
        two = NODES[1]
        self.screen.say("""The instance stops without a word. EC2 makes blackholes of the routes to it; the Elastic
            IP stays bound to an interface behind which nobody answers.""")
        self.stage.cloud.do("stop_instance", id=NODES[0].instance)
        self.stage.draw(holders, picture)
        self.screen.line()
        run = self.stage.run(two, "cloudvip", "check")
        self.stage.expect_run(run, "check on node2", 1, "blackhole")
        self.screen.line()
        self.screen.say("""The cluster manager now calls restore on node2, once for each address.""")
        run = self.stage.move("vip1 to node2: node1 died", two, "cloudvip", "restore", "vip1")
        self.stage.expect_run(run, "restore vip1 on node2", 0)
        self.stage.expect("calls of ReplaceRoute", run.actions().count("ReplaceRoute"), len(TABLES))
        self.screen.line()
        self.screen.say("""What went over the wire, as the cloud logged it: the credentials, one look, the three
            routes %s, and a second look, because a yes is not yet a fact.""" % self.how_sent(run))
        self.stage.show_calls(run)
        run = self.stage.move("eip1 to node2: node1 died", two, "cloudvip", "restore", "eip1")
        self.stage.expect_run(run, "restore eip1 on node2", 0)
        self.screen.line()
        self.stage.show_calls(run)
        self.expect_on(two, two)
        self.stage.draw(holders, picture)

    @staticmethod
    def how_sent(run):
        """They are sent together; a machine that is busy elsewhere may still stretch that."""
        replaced = [e for e in run.calls if e["action"] == "ReplaceRoute"]
        together = max(e["start_ms"] for e in replaced) < min(e["end_ms"] for e in replaced)
        return "in flight together" if together else "(not all in flight together: this machine is busy)"

    def act_check(self):
        self.screen.say("""LifeKeeper asks every two minutes, for years, and an account's API has a budget: asking
            costs one call.""")
        run = self.stage.run(NODES[1], "cloudvip", "quickCheck", "vip1")
        self.stage.expect_run(run, "quickCheck on node2", 0)
        self.stage.expect("API calls of quickCheck", len(run.calls), 1)

    def act_throttled(self):
        one, two = NODES
        self.screen.say("""Somebody else has used up the account's API budget: every call is refused. \"I could not
            ask\" is not \"it is lost\", so nothing fails over. A person is told so by exit status 3; LifeKeeper,
            to which anything but 0 means failure, gets 0 and a WARN in its log.""")
        self.stage.cloud.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "throttle"}})
        run = self.stage.run(two, "cloudvip", "quickCheck", "vip1")
        self.stage.expect_run(run, "quickCheck, throttled, for a person", 3, "WARN:")
        self.screen.line()
        run = self.stage.run(two, "quickCheck", "-t", "vip1", "-i", "vip1", LKROOT=self.stage.path("lk"))
        self.stage.expect_run(run, "quickCheck, throttled, under LifeKeeper", 0, "WARN:")
        self.screen.line()
        self.screen.say("""node1 is started again and shall have vip1 back: a planned move, so the cluster manager
            calls remove on node2 first. Then, on node1, the first look and two of the three changes are
            refused once each. restore backs off and comes again, and nothing is done twice.""")
        self.stage.cloud.faults()
        self.reboot(one)
        run = self.stage.run(two, "cloudvip", "remove", "vip1")
        self.stage.expect_run(run, "remove vip1 on node2", 0)
        self.screen.line()
        self.stage.cloud.faults({"match": {"action": "DescribeRouteTables"}, "do": {"type": "throttle"}},
                          {"match": {"action": "ReplaceRoute"}, "times": 2, "do": {"type": "throttle"}})
        run = self.stage.move("vip1 to node1: throttled", one, "cloudvip", "restore", "vip1")
        self.stage.expect_run(run, "restore vip1 on node1", 0)
        self.stage.expect("calls that were throttled", run.faults("throttle"), 3)
        self.stage.cloud.faults()
        self.screen.line()
        self.stage.show_calls(run)
        self.expect_on(one, two)
        self.stage.draw(holders, picture)

    def reboot(self, node):
        """/run is empty after a boot."""
        self.stage.cloud.do("start_instance", id=node.instance)
        shutil.rmtree(self.stage.path(node.name, "run"))
        os.mkdir(self.stage.path(node.name, "run"))
        os.chmod(self.stage.path(node.name, "run"), 0o755)

    def act_lost_answer(self):
        one, two = NODES
        self.screen.say("""vip1 goes back to node2. One change is made, but the connection breaks before the answer
            is there: was it made or not? restore does not guess and does not give up: it looks again.""")
        run = self.stage.run(one, "cloudvip", "remove", "vip1")
        self.stage.expect_run(run, "remove vip1 on node1", 0)
        self.screen.line()
        self.stage.cloud.faults({"match": {"action": "ReplaceRoute", "params": {"RouteTableId": TABLES[1][0]}},
                           "do": {"type": "lost_answer"}})
        run = self.stage.move("vip1 to node2: answer lost", two, "cloudvip", "restore", "vip1")
        self.stage.expect_run(run, "restore vip1 on node2", 0, TABLES[1][0], "no clear answer, looking again")
        self.stage.expect("answers that were lost", run.faults("lost_answer"), 1)
        self.stage.cloud.faults()
        self.screen.line()
        self.stage.show_calls(run)
        self.expect_on(two, two)
        self.stage.draw(holders, picture)
