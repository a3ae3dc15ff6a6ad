#include "kit/cloud/aws/egress.h"

/* VPC user guide: "Route tables" and "NAT gateways". */
const struct kit_egress aws_egress = {
    .absent =
        "on AWS the route table of a subnet says by which gateway its instances leave, whether "
        "or not they have a public address; and a public address that an instance was given "
        "never becomes an Elastic IP: point the subnet's default route at the NAT gateway, "
        "and bind an Elastic IP to an ENI in a subnet with an Internet gateway",
};
