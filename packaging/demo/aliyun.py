"""The acts on Alibaba Cloud: an EIP that moves in two tasks, a HAVIP that is announced.

Announcements want interfaces.  They are made in a network namespace that this process makes for itself:
it ends with the last process of the demonstration, and takes them with it, however that ends.
"""
import ctypes
import os
import subprocess

import draw

ADDRESS, HAVIP = "10.2.1.50", "havip-c0000001"
EIP, ALLOCATION = "198.51.100.7", "eip-c0000001"
REGION = "cn-shanghai"
TASK_MS = 120           # of each change of an EIP: a yes comes at once, the change later
CLONE_NEWNET = 0x40000000

NODES = (draw.Node("ecs1", "i-c0000001", "eni-c0000001", REGION + "-b", "10.2.1.11"),
         draw.Node("ecs2", "i-c0000002", "eni-c0000002", REGION + "-b", "10.2.1.12"))
MAC = {node.name: "00:16:3e:c0:00:0%d" % n for n, node in enumerate(NODES, 1)}
# The node's end of its cable, and the VPC's.
NIC = {node.name: node.name + "-eth1" for node in NODES}
SEGMENTS = tuple((node.name + "-vpc", node.instance) for node in NODES)


def world():
    """Two nodes in one vSwitch, an EIP and a HAVIP; both addresses on ecs1."""
    instances, interfaces = [], []
    for n, node in enumerate(NODES, 1):
        instances.append({"instance_id": node.instance, "vswitch_id": "vsw-c0000001", "role": "cluster-node",
                          "name": node.name})
        common = {"vswitch_id": "vsw-c0000001", "instance_id": node.instance, "security_group_ids": ["sg-c0000001"]}
        interfaces.append(dict(common, network_interface_id="eni-d000000%d" % n, type="Primary",
                               mac="00:16:3e:d0:00:0%d" % n, private_ips=["10.2.1.2%d" % n]))
        interfaces.append(dict(common, network_interface_id=node.eni, type="Secondary", mac=MAC[node.name],
                               private_ips=[node.ip]))
    return {"aliyun": {
        "region_id": REGION, "account_id": "1234567890123456", "roles": [{"name": "cluster-node"}],
        "delays_ms": {"eip": TASK_MS},
        "vpcs": [{"vpc_id": "vpc-c0000001", "cidr_block": "10.2.0.0/16"}],
        "vswitches": [{"vswitch_id": "vsw-c0000001", "vpc_id": "vpc-c0000001", "zone_id": REGION + "-b",
                       "cidr_block": "10.2.1.0/24"}],
        "security_groups": [{"security_group_id": "sg-c0000001", "vpc_id": "vpc-c0000001"}],
        "instances": instances, "network_interfaces": interfaces,
        "eips": [{"allocation_id": ALLOCATION, "ip_address": EIP, "instance_type": "NetworkInterface",
                  "instance_id": NODES[0].eni, "mode": "NAT", "private_ip": NODES[0].ip}],
        "havips": [{"havip_id": HAVIP, "ip_address": ADDRESS, "vswitch_id": "vsw-c0000001",
                    "instances": [node.instance for node in NODES], "instance_type": "EcsInstance",
                    "master": NODES[0].instance}]}}


# ---- interfaces ----------------------------------------------------------------------------------

def ip(*words):
    """Does ip(8), and says whether it could."""
    try:
        return subprocess.call(("ip",) + words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_wires():
    """A new network namespace, in it a cable for each node; ecs1 has the HAVIP's address."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0 or not ip("link", "set", "lo", "up"):
        return False
    for node, (wire, _) in zip(NODES, SEGMENTS):
        nic = NIC[node.name]
        if not (ip("link", "add", nic, "address", MAC[node.name], "type", "veth", "peer", "name", wire)
                and ip("link", "set", wire, "up") and ip("link", "set", nic, "up")):
            return False
    return ip("addr", "add", ADDRESS + "/32", "dev", NIC[NODES[0].name])


def lay_wires():
    """As make_wires, if that is possible: a child tries, for there is no way back from half of it."""
    if os.geteuid() != 0:
        return False
    child = os.fork()
    if child == 0:
        can = False
        try:
            can = make_wires()
        finally:
            os._exit(0 if can else 1)
    return os.waitpid(child, 0)[1] == 0 and make_wires()


# ---- the picture ---------------------------------------------------------------------------------

def holders(state):
    """{EIP or HAVIP: (instance, does it answer there?)}; what nobody has is not in it."""
    aliyun = state["aliyun"]
    running = {i["instance_id"] for i in aliyun["instances"] if i.get("status", "Running") == "Running"}
    behind = {e["network_interface_id"]: e.get("instance_id") for e in aliyun["network_interfaces"]}
    found = {}
    for eip in aliyun["eips"]:
        if eip.get("instance_id"):
            instance = behind.get(eip["instance_id"], eip["instance_id"])
            found[eip["allocation_id"]] = (instance, instance in running)
    for havip in aliyun["havips"]:
        if havip.get("master"):
            found[havip["havip_id"]] = (havip["master"], havip["master"] in running)
    return found


NETWORK = draw.Network(
    "VPC 10.2.0.0/16, %s, one vSwitch" % REGION, "addresses", NODES, 9, ((0, 4), (5, 4)),
    (draw.Place(ALLOCATION, 1, EIP, "EIP"), draw.Place(HAVIP, 6, ADDRESS, "HAVIP")))


def picture(state, before, g):
    """The VPC as a Canvas; what has moved since the state `before` is marked."""
    now = holders(state)
    serves = {row: (address, now[place][0] if now.get(place, (None, False))[1] else None)
              for row, place, address in ((6, ALLOCATION, EIP), (7, HAVIP, ADDRESS))}
    running = {i["instance_id"] for i in state["aliyun"]["instances"] if i.get("status", "Running") == "Running"}
    return NETWORK.picture(g, running, serves, now, holders(before))


# ---- the acts ------------------------------------------------------------------------------------

class Acts:
    """`wires`: there are interfaces, and what is announced on them is heard."""

    def __init__(self, stage, wires):
        self.stage, self.screen, self.wires = stage, stage.screen, wires
        for node in NODES:
            # lo: it is there everywhere, and nothing is done to it.
            nic = {"interface": NIC[node.name]} if wires else {"interface": "lo", "eni": node.eni}
            stage.configure(node, "aliyun", eip2={"scenario": "elastic-ip", "address": EIP, "eni": node.eni},
                            havip1=dict({"scenario": "havip", "address": ADDRESS, "bind_to": "instance"}, **nic))
        self.acts = (("Alibaba Cloud: an EIP moves in two tasks", self.act_eip),
                     ("Alibaba Cloud: a HAVIP is announced", self.act_havip))

    def check_status(self):
        """Of `cloudvip check` on ecs2 at the end: 1 if the HAVIP could not be moved."""
        return 0 if self.wires else 1

    def draw(self):
        self.stage.draw(holders, picture)

    def expect_on(self, eip_node, havip_node):
        """Where the cloud itself has them, whatever the programs said."""
        want = {place: (node.instance, True) for place, node in ((ALLOCATION, eip_node), (HAVIP, havip_node)) if node}
        self.stage.expect("where the cloud has the addresses", holders(self.stage.cloud.ask("GET", "state")), want)

    def act_eip(self):
        two = NODES[1]
        self.screen.say("""The same programs, another cloud: two ECS instances in one vSwitch. ecs1 has the EIP %s,
            and the HAVIP %s, an address of the vSwitch that both nodes may announce.""" % (EIP, ADDRESS))
        self.draw()
        self.screen.line()
        self.stage.show_file(two, "resources.d/eip2.conf")
        run = self.stage.run(two, "cloudvip", "plan", "eip2")
        self.stage.expect_run(run, "plan on ecs2", 0, ALLOCATION, NODES[1].eni)
        self.expect_on(*2 * NODES[:1])
        self.die()
        run = self.stage.move("eip2 to ecs2: ecs1 died", two, "cloudvip", "restore", "eip2")
        self.stage.expect_run(run, "restore eip2 on ecs2", 0)
        changes = [a for a in run.actions() if not a.startswith("Describe")]
        self.stage.expect("changes", changes, ["UnassociateEipAddress", "AssociateEipAddress"])
        self.screen.line()
        self.screen.say("""Here a yes means only that a task was begun: %d ms each. And an EIP has to be off the
            one interface before it can be on the other. So restore looks between the two, and after them, until
            the cloud says that it is done.""" % TASK_MS)
        self.stage.show_calls(run)
        self.expect_on(two, None)

    def die(self):
        """ecs1 says nothing any more: neither to the cloud nor on its cable."""
        self.screen.line()
        self.screen.say("""Now ecs1 dies. The EIP stays bound to its interface; the HAVIP has no master.""")
        self.stage.cloud.do("stop_instance", id=NODES[0].instance)
        if self.wires:
            self.stage.expect("ecs1's cable is cut", ip("link", "del", NIC[NODES[0].name]), True)

    def act_havip(self):
        two = NODES[1]
        self.screen.say("""The one address in a cloud that ARP does move: whichever of the nodes bound to a HAVIP has
            announced it last, gets its packets. No call of the API moves it; the API only tells who has it.""")
        self.stage.show_file(two, "resources.d/havip1.conf")
        run = self.stage.run(two, "cloudvip", "check", "havip1")
        self.stage.expect_run(run, "check of havip1 on ecs2", 1, ADDRESS)
        self.screen.line()
        run = self.stage.run(two, "cloudvip", "plan", "havip1")
        self.stage.expect_run(run, "plan of havip1 on ecs2", 0, HAVIP)
        self.screen.line()
        if not self.wires:
            self.screen.say("""Without root there is no interface to bring it up on, and lo stands for one above; root
                would have seen restore bring it up in a network namespace of this demonstration's own and announce it
                there by ARP, and the simulated VPC hear that and send it to ecs2.""")
            self.draw()
            return
        self.screen.say("""%s is one end of a cable in a network namespace of this demonstration's own; the simulated
            VPC listens at the other end.""" % NIC[two.name])
        run = self.stage.move("havip1 to ecs2: ecs1 died", two, "cloudvip", "restore", "havip1")
        self.stage.expect_run(run, "restore havip1 on ecs2", 0)
        self.stage.expect("changes", [a for a in run.actions() if not a.startswith("Describe")], [])
        self.screen.line()
        self.stage.show_calls(run)
        run = self.stage.run(two, "ip", "-brief", "address", "show", "dev", NIC[two.name])
        self.stage.expect_run(run, "the interface of ecs2", 0, ADDRESS)
        self.expect_on(two, two)
        self.screen.line()
        self.draw()
