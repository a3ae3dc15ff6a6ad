"""keepalived on the nodes of the lab."""
import stage

INSTANCE = "vip1"   # of VRRP; the resource of the same name moves with it
PRIORITY = 150      # of the first node; the next ones have 10 less each


class Keepalived:
    """The engine: one VRRP instance, the address on lo of its master, cloudvip-notify beside it."""
    name = "keepalived"
    programs = ("keepalived",)

    def __init__(self, hosts, advert_s=1):
        self.hosts, self.advert_s = hosts, advert_s
        self.address = None

    def files(self, node):
        self.address = node.stage.kind.address
        others = "".join("        %s\n" % h.addresses[0] for h in self.hosts if h is not node.host)
        return {"/etc/keepalived/keepalived.conf": """global_defs {
    router_id %s
    script_user root
    enable_script_security
    vrrp_version 3
}
vrrp_instance %s {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int %g
    nopreempt
    unicast_src_ip %s
    unicast_peer {
%s    }
    virtual_ipaddress {
        %s/32 dev lo
    }
    notify /usr/libexec/lab/notify
    notify_master_rx_lower_pri "/usr/libexec/lab/notify INSTANCE %s MASTER_RX_LOWER_PRI 0"
}
""" % (node.name, INSTANCE, PRIORITY - 10 * (node.number - 1), self.advert_s, node.host.addresses[0], others,
            self.address, INSTANCE)}

    @staticmethod
    def start(_node):
        return ["keepalived -n -l -D -P -f /etc/keepalived/keepalived.conf -p /run/keepalived.pid &"]

    @staticmethod
    def booted(t, node):
        """The first node is master before there is another."""
        if node.number == 1:
            t.wait_until(lambda: node.holds(node.stage.kind.address), "node1 is master", 30, 0.05)

    @staticmethod
    def form(t, members):
        """The others have heard of it."""
        for node in members[1:]:
            t.wait_until(lambda n=node: "BACKUP" in n.console(), "%s is backup" % node.name, 30, 0.05)
        t.check(members[0].holds(members[0].stage.kind.address), "node1 is still master")

    @staticmethod
    def stop(node):
        """As an administrator does it: it gives the address up first."""
        status, text = node.run("sh", "-c", "kill $(cat /run/keepalived.pid)")
        if status:
            raise stage.tap.Failed(text)
