"""Corosync and Pacemaker on the nodes of the lab."""
import os
import re
import time
import xml.etree.ElementTree

import node as nodes
import stage
import tap

RESOURCE = "vip1"
PREFERRED = 50     # of the first node, so that every run begins alike
STICKINESS = 100   # more: an address stays where it is


class Pacemaker:
    """The engine, and the cluster it makes of some nodes.

    `token_ms`: Corosync's.  `monitor_s`: how often the address is looked at.  `fencing`: {node name:
    seconds} of delay before that node is fenced; None: no fencing.  `agent`: the resource's type below
    ocf:lab:.  `parameters`: of the resource; `local`: has the resource the address on the interface?
    """
    name = "pacemaker"
    programs = ("corosync", "pacemakerd", "crm_mon", "crm_resource")

    def __init__(self, hosts, token_ms=1000, monitor_s=2, fencing=None, agent="cloudvip", parameters=None):
        self.hosts, self.token_ms, self.monitor_s, self.fencing = hosts, token_ms, monitor_s, fencing
        self.agent, self.parameters = agent, parameters or {}

    # -- the disk of a node ---------------------------------------------------------------------
    def files(self, node):
        cib = node.path("/var/lib/pacemaker/cib/cib.xml")
        for path, mode in (("/var/lib/pacemaker", 0o750), ("/var/lib/pacemaker/cib", 0o750),
                           ("/var/log/corosync", 0o755), ("/var/log/pacemaker", 0o770)):
            os.makedirs(node.path(path), mode, exist_ok=True)
            os.chmod(node.path(path), mode)
        stage.write(cib, self._cib(), 0o600)
        stage.command("chown", "-R", "hacluster:haclient", node.path("/var/lib/pacemaker"), node.path("/var/log/pacemaker"))
        return {"/etc/corosync/corosync.conf": self._corosync()}

    @staticmethod
    def start(node):
        # The metadata service where the world knows it, for programs that cannot be told otherwise.
        port = stage.METADATA_PORT + node.number
        return ["nft 'table ip lab { chain out { type nat hook output priority -100; ip daddr %s tcp dport 80 dnat to %s:%d; }; }'"
                " 2>/dev/null || :" % (stage.METADATA, stage.METADATA, port), "export HOME=/root", "mkdir -p /run/crm", "chown hacluster:haclient /run/crm", "corosync -f >/run/corosync.out 2>&1 &",
                "until corosync-cmapctl -g totem.version >/dev/null 2>&1; do sleep 0.05; done",
                "PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none pacemakerd -f >/run/pacemakerd.out 2>&1 &"]

    def _corosync(self):
        members = "".join("  node {\n    ring0_addr: %s\n    name: %s\n    nodeid: %d\n  }\n"
                          % (h.addresses[0], h.name, h.number) for h in self.hosts)
        pair = "  two_node: 1\n  wait_for_all: 0\n" if len(self.hosts) == 2 else ""
        return ("totem {\n  version: 2\n  cluster_name: lab\n  transport: knet\n  token: %d\n  crypto_cipher: none\n"
                "  crypto_hash: none\n}\nnodelist {\n%s}\nquorum {\n  provider: corosync_votequorum\n%s}\n"
                "logging {\n  to_stderr: no\n  to_syslog: no\n  to_logfile: yes\n"
                "  logfile: /var/log/corosync/corosync.log\n  timestamp: hires\n}\n" % (self.token_ms, members, pair))

    def _cib(self):
        """A configuration that is there from the first boot: electing a DC takes 2 s instead of 20."""
        def pairs(prefix, items):
            return "".join('<nvpair id="%s-%s" name="%s" value="%s"/>' % (prefix, k, k, v) for k, v in items.items())

        options = {"dc-deadtime": "2s", "stonith-enabled": "true" if self.fencing else "false"}
        resources = (
            '<primitive id="%s" class="ocf" provider="lab" type="%s"><instance_attributes id="a">%s</instance_attributes>'
            '<meta_attributes id="m">%s</meta_attributes><operations>'
            '<op id="o-start" name="start" interval="0" timeout="60s"/><op id="o-stop" name="stop" interval="0" timeout="60s"/>'
            '<op id="o-monitor" name="monitor" interval="%dms" timeout="30s"/></operations></primitive>'
            % (RESOURCE, self.agent, pairs("a", self.parameters), pairs("m", {"target-role": "Stopped"}), self.monitor_s * 1000))
        if self.fencing:
            delays = ";".join("%s:%g" % item for item in self.fencing.items())
            resources += ('<primitive id="power" class="stonith" type="fence_lab"><instance_attributes id="f">%s'
                          '</instance_attributes></primitive>'
                          % pairs("f", {"pcmk_host_list": " ".join(h.name for h in self.hosts),
                                        "pcmk_host_check": "static-list", "pcmk_delay_base": delays}))
        return ('<cib crm_feature_set="3.11.0" validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0">'
                '<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">%s</cluster_property_set>'
                '</crm_config><nodes/><resources>%s</resources><constraints>'
                '<rsc_location id="preferred" rsc="%s" node="%s" score="%d"/></constraints><rsc_defaults>'
                '<meta_attributes id="d">%s</meta_attributes></rsc_defaults></configuration><status/></cib>\n'
                % (pairs("p", options), resources, RESOURCE, self.hosts[0].name, PREFERRED,
                   pairs("d", {"resource-stickiness": STICKINESS})))

    def booted(self, t, node):
        """Nothing to wait for: the nodes find each other."""

    # -- the cluster ----------------------------------------------------------------------------
    @staticmethod
    def status(node):
        """What crm_mon sees from that node, as XML; None while the cluster is not there."""
        status, text = node.run("crm_mon", "-1", "--output-as=xml")
        return xml.etree.ElementTree.fromstring(text) if status == 0 else None

    def online(self, node):
        """The names of the nodes that are online, seen from this one."""
        seen = self.status(node)
        return sorted(n.get("name") for n in seen.findall("./nodes/node")
                      if n.get("online") == "true" and n.get("pending") == "false") if seen is not None else []

    def holder(self, node):
        """The nodes on which the resource runs, seen from this node."""
        seen = self.status(node)
        found = seen.findall(".//resource[@id='%s']" % RESOURCE) if seen is not None else []
        return [n.get("name") for r in found for n in r.findall("node") if r.get("role") == "Started"]

    def dc(self, node):
        """The name of the designated coordinator."""
        seen = self.status(node)
        found = seen.find("./summary/current_dc") if seen is not None else None
        return found.get("name") if found is not None else None

    def form(self, t, members, timeout_s=60):
        """All nodes are members, the resource is started on the first one, and nothing is left to do."""
        first = members[0]
        t.wait_until(lambda: self.online(first) == [n.name for n in members], "all nodes are online", timeout_s, 0.1)
        self.set_role(first, "Started")
        self.settle(t, first, first.name)
        first.run("cibadmin", "--delete", "--xml-text", '<rsc_location id="preferred"/>')
        self.settle(t, first, first.name)

    @staticmethod
    def set_role(node, role):
        status, text = node.run("crm_resource", "-r", RESOURCE, "--meta", "-p", "target-role", "-v", role)
        if status:
            raise tap.Failed("target-role: %s" % text)

    def settle(self, t, node, holder, timeout_s=60):
        """The resource runs there, seen from `node`, and its DC is idle."""
        t.wait_until(lambda: self.holder(node) == [holder], "%s has it" % holder, timeout_s, 0.1)
        t.wait_until(lambda: self.idle(node), "the cluster is idle", timeout_s, 0.1)

    def idle(self, node):
        dc = self.dc(node)
        return dc is not None and "S_IDLE" in node.run("crmadmin", "-q", "-S", dc)[1]

    @staticmethod
    def move(node, target):
        status, text = node.run("crm_resource", "--move", "-r", RESOURCE, "-N", target)
        if status:
            raise tap.Failed("move: %s" % text)

    @staticmethod
    def prefer(node, target):
        """That node is the next one to be chosen."""
        status, text = node.run("cibadmin", "--create", "--scope", "constraints", "--xml-text",
                                '<rsc_location id="next" rsc="%s" node="%s" score="10"/>' % (RESOURCE, target))
        if status:
            raise tap.Failed("constraint: %s" % text)

    @staticmethod
    def clear(node):
        """Forgets the move: where it is now, it stays by its stickiness."""
        node.run("crm_resource", "--clear", "-r", RESOURCE)
        node.run("crm_resource", "--cleanup", "-r", RESOURCE)

    # -- what it wrote down ---------------------------------------------------------------------
    @staticmethod
    def memberships(node):
        """When Corosync on that node formed a membership, and which nodes had left: [(s, text)]."""
        found = []
        for line in node.read("/var/log/corosync/corosync.log").splitlines():
            seen = re.match(r"(\w+ +\d+ [\d:]+)\.(\d+) .*A new membership .* was formed\.(.*)", line)
            if seen:
                day = time.strptime("%d %s" % (time.localtime().tm_year, seen.group(1)), "%Y %b %d %H:%M:%S")
                stamp = time.mktime(day) + float("0." + seen.group(2))
                found.append((nodes.wall_to_monotonic(stamp), seen.group(3).strip()))
        return found
