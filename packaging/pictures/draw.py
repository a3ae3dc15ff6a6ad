#!/usr/bin/env python3
"""Draws the picture of each scenario: `packaging/pictures/draw.py` writes the SVG files beside it.

A picture shows two nodes, what is bound to one of them, and what moves when the other takes over.
Words are the clouds' own, so that the pictures serve every language.
"""
import os
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 352
INK, SOFT, PAPER, FRAME = "#1f2a37", "#6b7280", "#ffffff", "#9ca3af"
ACTIVE, STANDBY, MOVED, CLOUD = "#d1fae5", "#f3f4f6", "#b45309", "#f8fafc"
CLIENT, BINDING = "#e0e7ff", "#fef3c7"


class Picture:
    def __init__(self, title):
        self.title = title
        self.parts = []

    def box(self, x, y, w, h, fill, lines, stroke=FRAME, dashed=False, radius=8, size=13):
        self.parts.append('<rect x="%g" y="%g" width="%g" height="%g" rx="%g" fill="%s" stroke="%s"%s/>'
                          % (x, y, w, h, radius, fill, stroke, ' stroke-dasharray="5 4"' if dashed else ""))
        top = y + h / 2 - (len(lines) - 1) * 9
        for i, line in enumerate(lines):
            self.text(x + w / 2, top + 18 * i + 4.5, line, "middle", size, weight="600" if i == 0 else "400",
                      colour=INK if i == 0 else SOFT)

    def frame(self, x, y, w, h, label, dashed=False):
        self.parts.append('<rect x="%g" y="%g" width="%g" height="%g" rx="12" fill="%s" stroke="%s"%s/>'
                          % (x, y, w, h, CLOUD, FRAME, ' stroke-dasharray="6 5"' if dashed else ""))
        self.text(x + w / 2, y + h - 10, label, "middle", 12.5, colour=SOFT)

    def text(self, x, y, text, anchor="start", size=13, weight="400", colour=INK):
        self.parts.append('<text x="%g" y="%g" text-anchor="%s" font-size="%g" font-weight="%s" fill="%s">%s</text>'
                          % (x, y, anchor, size, weight, colour, escape(text)))

    def arrow(self, points, moved=False, dashed=False):
        path = "M" + " L".join("%g %g" % p for p in points)
        self.parts.append('<path d="%s" fill="none" stroke="%s" stroke-width="%g"%s marker-end="url(#%s)"/>'
                          % (path, MOVED if moved else INK, 2.4 if moved else 1.6,
                             ' stroke-dasharray="6 5"' if dashed else "", "moved" if moved else "plain"))

    def svg(self):
        heads = "".join('<marker id="%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
                        'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="%s"/></marker>' % head
                        for head in (("plain", INK), ("moved", MOVED)))
        return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
                'font-family="Helvetica, Arial, sans-serif" role="img" aria-label="%s">\n<title>%s</title>\n'
                '<defs>%s</defs>\n<rect width="100%%" height="100%%" fill="%s"/>\n%s\n</svg>\n'
                % (WIDTH, HEIGHT, WIDTH, HEIGHT, escape(self.title), escape(self.title), heads, PAPER,
                   "\n".join(self.parts)))


def nodes(p, one, two):
    """Two nodes at the foot: the one that had it, the one that takes over."""
    p.box(70, 228, 200, 62, STANDBY, ["node 1"] + one, dashed=True)
    p.box(450, 228, 200, 62, ACTIVE, ["node 2"] + two)


def foot(p, text):
    p.text(WIDTH / 2, 343, text, "middle", 12.5, colour=MOVED, weight="600")


def bindings(p, boxes, call):
    """What is bound, above the nodes: from node 1 (dashed) to node 2."""
    for x, w, lines in boxes:
        p.box(x, 118, w, 52, BINDING, lines)
        middle = x + w / 2
        p.arrow([(middle - 8, 170), (middle - 8, 186), (170, 202), (170, 226)], dashed=True)
        p.arrow([(middle + 8, 170), (middle + 8, 186), (550, 202), (550, 226)], moved=True)
    foot(p, call)


def route_table(cloud, call):
    p = Picture("%s route-table" % cloud)
    p.box(260, 10, 200, 40, CLIENT, ["clients → 10.1.0.10"])
    p.frame(30, 66, 660, 258, "VPC: every route table points 10.1.0.10/32 at the ENI in service")
    p.arrow([(360, 50), (360, 64)])
    bindings(p, [(60, 180, ["route table a", "10.1.0.10/32"]), (270, 180, ["route table b", "10.1.0.10/32"]),
                 (480, 180, ["route table c", "10.1.0.10/32"])], call)
    nodes(p, ["zone a, eni-1"], ["zone b, eni-2"])
    return p


def elastic_ip(cloud, name, call):
    p = Picture("%s elastic-ip" % cloud)
    p.box(260, 10, 200, 40, CLIENT, ["Internet"])
    p.frame(30, 66, 660, 258, "VPC: the %s is associated with one ENI" % name)
    p.arrow([(360, 50), (360, 116)])
    bindings(p, [(250, 220, [name + " 203.0.113.10", "association"])], call)
    nodes(p, ["zone a, eni-1"], ["zone b, eni-2"])
    return p


def private_ip(cloud, subnet, call):
    p = Picture("%s private-ip" % cloud)
    p.box(260, 10, 200, 40, CLIENT, ["clients → 10.0.1.10"])
    p.frame(30, 66, 660, 258, "one %s: a secondary private address of the ENI in service" % subnet)
    p.arrow([(360, 50), (360, 116)])
    bindings(p, [(250, 220, ["10.0.1.10", "secondary private address"])], call)
    nodes(p, ["eni-1 10.0.1.4"], ["eni-2 10.0.1.5"])
    return p


def eni(cloud, call):
    p = Picture("%s eni" % cloud)
    p.box(260, 10, 200, 40, CLIENT, ["clients → 10.0.1.10"])
    p.frame(30, 66, 660, 258, "one zone: a whole ENI is detached there and attached here")
    p.arrow([(360, 50), (360, 116)])
    bindings(p, [(230, 260, ["eni-9", "address, MAC, security groups"])], call)
    nodes(p, ["eth0"], ["eth0, eth1 = eni-9"])
    return p


def havip():
    p = Picture("Alibaba Cloud havip")
    p.box(260, 10, 200, 40, CLIENT, ["clients → 192.168.3.100"])
    p.frame(30, 66, 660, 258, "one vSwitch: the HAVIP is bound to both nodes; who announces it has it")
    p.arrow([(360, 50), (360, 116)])
    p.box(250, 118, 220, 52, BINDING, ["HAVIP 192.168.3.100", "bound to node 1 and node 2"])
    p.arrow([(352, 170), (352, 186), (170, 202), (170, 226)], dashed=True)
    p.arrow([(550, 228), (550, 202), (368, 186), (368, 172)], moved=True)
    nodes(p, ["192.168.3.10"], ["192.168.3.11, announces"])
    foot(p, "gratuitous ARP; no API call is needed to take it")
    return p


PICTURES = {
    "aws-route-table": route_table("AWS", "ReplaceRoute, all tables at once"),
    "aws-elastic-ip": elastic_ip("AWS", "Elastic IP", "AssociateAddress with AllowReassociation"),
    "aws-private-ip": private_ip("AWS", "subnet", "AssignPrivateIpAddresses with AllowReassignment"),
    "aws-eni": eni("AWS", "DetachNetworkInterface, AttachNetworkInterface"),
    "aliyun-route-table": route_table("Alibaba Cloud", "ModifyRouteEntry, table by table, in place"),
    "aliyun-elastic-ip": elastic_ip("Alibaba Cloud", "EIP", "UnassociateEipAddress, AssociateEipAddress: "
                                    "nat, cut-through or multi"),
    "aliyun-havip": havip(),
    "aliyun-private-ip": private_ip("Alibaba Cloud", "vSwitch", "UnassignPrivateIpAddresses, "
                                    "AssignPrivateIpAddresses"),
    "aliyun-eni": eni("Alibaba Cloud", "DetachNetworkInterface, AttachNetworkInterface"),
}


def main():
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, picture in PICTURES.items():
        with open(os.path.join(where, name + ".svg"), "w", encoding="utf-8") as f:
            f.write(picture.svg())


if __name__ == "__main__":
    main()
