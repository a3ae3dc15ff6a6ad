/* actions/main.c - built once per action: cc -DACTION=act_restore … */
#include "actions/act.h"

int main(int argc, char **argv)
{
    return act_main(&ACTION, argc, argv);
}
