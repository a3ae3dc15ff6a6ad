/* Any text as a file of a network manager: every reader comes to an end, and says one of three
 * things.  What is said of a text is said of the same text with a comment in front. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/sys/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum kit_dhcp ask(unsigned reader, const char *text)
{
    switch (reader) {
    case 0: return kit_dhcp_in_networkd(text);
    case 1: return kit_dhcp_in_nm(text, "1-2");
    case 2: return kit_dhcp_in_ifcfg(text);
    default: return kit_dhcp_in_ifupdown(text, "eth1");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char comment[] = "# of ours\n";
    char *text = kit_mem_new(sizeof(comment) + size, 1);
    const char *own = text + sizeof(comment) - 1;

    memcpy(text, comment, sizeof(comment) - 1);
    memcpy(text + sizeof(comment) - 1, data, size);
    for (unsigned reader = 0; reader < 4; reader++) {
        enum kit_dhcp found = ask(reader, own);
        if (found > KIT_DHCP_OFF || found != ask(reader, text))
            abort();
    }
    free(text);
    return 0;
}
