/* kit/cloud/aliyun/convert.h - an instance's static public address becomes an EIP
 * (ConvertNatPublicIpToEip).  Private to kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_CONVERT_H
#define KIT_CLOUD_ALIYUN_CONVERT_H

#include "kit/cloud/aliyun/eip.h"

/* The evidence of the rules. */
struct ali_convert {
    struct ali_instance instance;
    int64_t now_s; /* the provider's clock */
    bool asked;    /* for the conversion alone: there must be an address, or an EIP already */
};

/* 41 and 42 (Alibaba Cloud help: "Convert a static public IP address of an instance in a VPC to an
 * EIP").  They say nothing of an instance without a static public address, unless one is `asked`
 * for. */
enum kit_rule_answer ali_convert_check_charge(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_convert_check_state(const void *evidence, struct kit_buf *detail);

#define ALI_CONVERT_RULES                                                                          \
    {41, KIT_RULE_REFUSE, "the public address of a subscription instance cannot become an EIP",    \
     "change the instance to pay-as-you-go, or its bandwidth to pay-by-traffic",                   \
     ali_convert_check_charge},                                                                    \
    {                                                                                              \
        42, KIT_RULE_REFUSE, "the public address cannot become an EIP as the instance stands",     \
            "mend what is named", ali_convert_check_state                                          \
    }

/* Converts, and waits until the EIP is shown as the instance's; converted already: nothing is
 * sent.  Cannot be undone.  Resumable: what was accepted is not asked for again.  `ui` or NULL.
 * KIT_ERR_NOT_FOUND: the instance has no public address at all. */
int ali_convert(struct ali_cloud *cloud, const char *instance, const struct kit_op_ui *ui,
                struct kit_deadline by, struct ali_eip *ret_eip, struct kit_err *err) KIT_CHECKED;

#endif
