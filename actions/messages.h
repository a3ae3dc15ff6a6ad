/* actions/messages.h - every message an action can log: number, level, name, cause, remedy.
 *
 * cloudvip-messages(7) is made from this table.  A number is never given to another message:
 * operators search for them, and alarms hang on them.  LifeKeeper's own kits use numbers below
 * 140000 and its consultants' 8000xx, so 720001 and up is ours. */
#ifndef ACTIONS_MESSAGES_H
#define ACTIONS_MESSAGES_H

/* X(code, LEVEL, NAME, cause, remedy).  Levels are LifeKeeper's: EMERG NOTIFY ERROR WARN INFO. */
#define ACT_MESSAGES(X)                                                                            \
    X(720001, INFO, ACT_BEGIN, "An action was started.", "None.")                                  \
    X(720002, INFO, ACT_DONE, "The action ended; the message says how, and what it took.",         \
      "None: of what is not right there is a message of its own before this one.")                 \
    X(720003, INFO, ACT_HERE, "The address is here already; nothing was changed.", "None.")        \
    X(720004, NOTIFY, ACT_MOVED, "The address was moved to this node, and the cloud confirms it.", \
      "None, if a switchover was asked for. Otherwise find out why the other node lost it.")       \
    X(720005, NOTIFY, ACT_RELEASED, "This node let go of the address.",                            \
      "None, if the resource was taken out of service or moved.")                                  \
    X(720006, INFO, ACT_NOTHING_TO_RELEASE,                                                        \
      "remove found nothing of this node's to release, or the scenario leaves it to the next "     \
      "restore.",                                                                                  \
      "None.")                                                                                     \
    X(720007, INFO, ACT_NOT_OURS, "Another node has the address; remove leaves it there.",         \
      "None.")                                                                                     \
    X(720008, ERROR, ACT_ELSEWHERE,                                                                \
      "The cloud answers that the address is not, or not wholly, on this node: another node took " \
      "it, a route points at something that is gone, or somebody changed it by hand.",             \
      "The cluster recovers it or fails over. If it comes back, look in the cloud's audit trail "  \
      "for who changed the binding that the message names.")                                       \
    X(720009, WARN, ACT_UNKNOWN_PASSING,                                                           \
      "The cloud could not be asked just now (network, throttling, an error on its side, or no "   \
      "time left); where the address is stays unknown, and no failure is concluded from it.",      \
      "None, if it passes. If it repeats, check from this node that the API endpoint and the "     \
      "metadata service can be reached, and the cloud's status page.")                             \
    X(720010, ERROR, ACT_UNKNOWN_PERSON,                                                           \
      "The cloud could not be asked and will not be until somebody acts: credentials, a "          \
      "permission, or the configuration. The address may still be served, but nobody watches it, " \
      "and a failover would fail for the same reason.",                                            \
      "Act now, while it still works: the message names the permission, the credentials or the "   \
      "configuration line. Then run the check by hand.")                                           \
    X(720011, ERROR, ACT_UNKNOWN_LIMIT,                                                            \
      "The state was unknown, and on_unknown turns that into a failure.",                          \
      "Find out why the cloud cannot be asked (the messages before this one). Set on_unknown = "   \
      "ok if a failover would not help.")                                                          \
    X(720012, ERROR, ACT_CONFIG,                                                                   \
      "The configuration is wrong or incomplete, or names something that is not in the cloud.",    \
      "Correct the file and line, or the info field, that the message names; then run the action " \
      "again.")                                                                                    \
    X(720013, ERROR, ACT_USAGE, "The command line is wrong.",                                      \
      "Call the action as: ACTION -t TAG -i ID.")                                                  \
    X(720014, ERROR, ACT_DENIED,                                                                   \
      "The cloud refused: credentials are missing, expired or wrong, or a permission is missing.", \
      "Give the node's role the permission that the message names, or renew its credentials; the " \
      "request id helps the provider's support.")                                                  \
    X(720015, ERROR, ACT_CONFLICT,                                                                 \
      "After this node had claimed the address, the cloud shows it on another one. Either two "    \
      "nodes believe that they should have it and the other one took it back; or, of a HAVIP, "    \
      "this node's announcements were not heard.",                                                 \
      "Check the cluster for split brain before anything else: communication paths, quorum. "      \
      "Then put the resource into service on one node. If no other node claimed a HAVIP, check "   \
      "that the interface is the one in its vSwitch and lets gratuitous ARP out.")                 \
    X(720016, INFO, ACT_STEP_DONE, "One binding (a route, an association) was changed.", "None.")  \
    X(720017, ERROR, ACT_STEP_FAILED,                                                              \
      "One binding could not be changed. Others may have been: each has its own message.",         \
      "Remove the cause that the message names and run restore again: it does what is left.")      \
    X(720018, WARN, ACT_STEP_OPEN,                                                                 \
      "A change was sent and its answer was lost; it may have been applied. The action looks "     \
      "again before it decides.",                                                                  \
      "None: the messages that follow say what was found.")                                        \
    X(720019, ERROR, ACT_REFUSED,                                                                  \
      "The action refused before it changed anything: a precondition is not met, or what was "     \
      "found fits the configuration in two ways.",                                                 \
      "Read what the message names. Set the parameter that decides it (interface, eni, "           \
      "route_tables, allocation_id), or remove the second candidate.")                             \
    X(720020, ERROR, ACT_FAILED, "The action failed for a reason that has no number of its own.",  \
      "The message says what was tried, on what, and what came back. Run the action again: that "  \
      "is always safe.")                                                                           \
    X(720021, ERROR, ACT_TIMEOUT,                                                                  \
      "The action's time was spent before its end. What was changed until then stays.",            \
      "Run it again: it goes on from there. If the cloud is merely slow, raise "                   \
      "restore_timeout or its like, and the cluster manager's own limit with it.")                 \
    X(720022, NOTIFY, ACT_NIC_UP, "The interface was down and was brought up.",                    \
      "Find out who had set it down.")                                                             \
    X(720023, ERROR, ACT_NIC_DOWN,                                                                 \
      "The interface that shall serve the address is missing or down and could not be brought "    \
      "up.",                                                                                       \
      "Check the attachment of the ENI in the cloud and the interface on the node (ip link); the " \
      "action needs CAP_NET_ADMIN.")                                                               \
    X(720024, WARN, ACT_LOCKED,                                                                    \
      "Another action for the same address is running, and this one waited in vain.",              \
      "None, if the other one ends. The message names its process.")                               \
    X(720025, WARN, ACT_RECORD,                                                                    \
      "The small record in the run directory could not be read or written. The action goes on "    \
      "without it.",                                                                               \
      "Check space and ownership of the run directory (/run/cloudvip).")                           \
    X(720026, WARN, ACT_SKEW, "This node's clock and the cloud's differ.",                         \
      "Set up time synchronisation (chrony): beyond five minutes the cloud refuses requests.")     \
    X(720027, WARN, ACT_RETRY, "A call failed in a way that may pass and is tried again.",         \
      "None, if the action ends well. Throttling that repeats means that too much else uses the "  \
      "same account's API.")                                                                       \
    X(720028, WARN, ACT_NO_LOCK, "The lock could not be made, and the action goes on without it.", \
      "Check that the run directory (/run/cloudvip) exists, is root's, and can be written.")       \
    X(720029, WARN, ACT_NO_INFO,                                                                   \
      "LifeKeeper could not be asked for the resource's info field; the configuration files "      \
      "alone are used. A check that got no answer at all takes the state for unknown.",            \
      "Check that LifeKeeper is up (lcdstatus) and that ins_list -t TAG answers.")                 \
    X(720030, ERROR, ACT_STILL_HERE,                                                               \
      "remove could not take the address off this node, which is certain to have it still.",       \
      "Take it off by hand before another node brings it into service; the message says what is "  \
      "left.")                                                                                     \
    X(720031, WARN, ACT_BROKEN_FILE,                                                               \
      "A configuration file of another resource cannot be used. This action is not hindered.",     \
      "Correct the file and line that the message names before that resource has to move.")        \
    X(720032, INFO, ACT_WAITING,                                                                   \
      "A change was accepted, and the cloud does not show it yet: it takes its time, or answers "  \
      "from an older view. The action looks again.",                                               \
      "None: the messages that follow say what was found.")                                        \
    X(720033, INFO, ACT_LOCAL_UP,                                                                  \
      "The address is on its interface: put there before the cloud is told, or found there.",      \
      "None.")                                                                                     \
    X(720034, INFO, ACT_LOCAL_DOWN, "The address was taken off its interface.", "None.")           \
    X(720035, WARN, ACT_LOCAL_FOREIGN,                                                             \
      "remove leaves the address on the interface: restore found it there, put by another "        \
      "process, or it has a prefix length that restore does not give it.",                         \
      "None, if another program manages it (then local_address = no says so). Otherwise take it "  \
      "off by hand before another node brings it into service.")                                   \
    X(720036, INFO, ACT_LOCAL_NONE,                                                                \
      "The address goes on no interface of this host, since none is known that it belongs to.",    \
      "None, if something else puts it there (then local_address = no says so). Otherwise set "    \
      "interface.")                                                                                \
    X(720037, ERROR, ACT_LOCAL_LOST,                                                               \
      "The resource is in service, and the address is not on its interface: whatever the cloud "   \
      "sends here reaches nobody.",                                                                \
      "The cluster recovers it. If it comes back, find out who takes the address off (a network "  \
      "manager, a script, a person).")                                                             \
    X(720038, WARN, ACT_LOCAL_KEPT,                                                                \
      "restore failed after its claim was sent, and the cloud may send the address here: it "      \
      "stays on the interface, where the next restore finds it and the next remove takes it off.", \
      "Run restore again, here or on another node; or remove here.")                               \
    X(720039, WARN, ACT_LOCAL_TROUBLE,                                                             \
      "Something about the address on the interface could not be done or read; the action goes "   \
      "on without it.",                                                                            \
      "The message says what. Announcements need CAP_NET_RAW, addresses CAP_NET_ADMIN.")           \
    X(720040, ERROR, ACT_HOOK_REFUSED,                                                             \
      "A hook of the site refused the action, or the hook that chooses the route tables failed, "  \
      "and nothing was changed.",                                                                  \
      "Read the reason in the message: it is the site's own. If the hook is wrong, correct it or " \
      "move its file out of hook_dir, and run the action again.")                                  \
    X(720041, ERROR, ACT_HOOK_FAILED,                                                              \
      "A hook of the site did not do its work: it raised an error, broke a limit, returned what "  \
      "makes no sense, or its file is not to be trusted. What that does to the action is in the "  \
      "hooks' contract, point by point.",                                                          \
      "cloudvip hooks list shows owner and mode of each file, cloudvip hooks test NAME runs one "  \
      "on made-up facts.")                                                                         \
    X(720042, INFO, ACT_HOOK_INFO, "A hook of the site says so.", "None.")                         \
    X(720043, WARN, ACT_HOOK_WARN, "A hook of the site warns.", "Ask whoever wrote the hook.")     \
    X(720044, ERROR, ACT_HOOK_ERROR, "A hook of the site reports an error of its own.",            \
      "Ask whoever wrote the hook.")                                                               \
    X(720045, INFO, ACT_HOOK_CHOSE,                                                                \
      "A hook of the site left route tables out: they are not looked at and not changed.",         \
      "None, if that is meant.")                                                                   \
    X(720046, WARN, ACT_HOOK_DECIDED,                                                              \
      "The state was not known, and a hook of the site said what to make of it.",                  \
      "Find out why the cloud could not be asked (the messages before this one).")                 \
    X(720050, INFO, ACT_STANDBY,                                                                   \
      "Pacemaker asked whether the address is in service on this node, and it is not, as is "      \
      "right before a start.",                                                                     \
      "None.")                                                                                     \
    X(720051, INFO, ACT_TRANSITION, "keepalived told of a transition of an instance or a group.",  \
      "None.")                                                                                     \
    X(720052, INFO, ACT_SUPERSEDED,                                                                \
      "keepalived told of a newer transition before this one had its turn: only the newest is "    \
      "carried out.",                                                                              \
      "None. If it happens often, find out why the instance flaps.")                               \
    X(720053, WARN, ACT_NO_TURN,                                                                   \
      "Whether a newer or an older transition is under way could not be found out, or an older "   \
      "one did not end in time.",                                                                  \
      "Check that the run directory (/run/cloudvip) exists, is root's, and can be written; "       \
      "compare "                                                                                   \
      "where the address is (cloudvip status) with keepalived's state.")                           \
    X(720054, NOTIFY, ACT_EVENT,                                                                   \
      "quickCheck found a resource in service lost, and told LifeKeeper, which recovers it here "  \
      "or brings it into service on another server.",                                              \
      "None: the messages of recover, remove and restore say what came of it.")                    \
    X(720055, ERROR, ACT_EVENT_FAILED,                                                             \
      "LifeKeeper could not be told that the resource is lost, or could not recover it.",          \
      "Look at the resource with lcdstatus; check that LifeKeeper is up, and that its programs "   \
      "below $LKROOT/bin can be run.")                                                             \
    X(720056, INFO, ACT_NO_EVENT,                                                                  \
      "quickCheck was run for a resource that LifeKeeper does not have in service.", "None.")      \
    X(720057, ERROR, ACT_ADMIN_FAILED,                                                             \
      "A resource could not be made, extended or taken away in LifeKeeper.",                       \
      "The message says which of LifeKeeper's commands failed, and how; what had been done is "    \
      "undone. Correct it, and run it again.")                                                     \
    X(720058, INFO, ACT_ADMIN_DONE, "LifeKeeper's administration did what it was asked to.",       \
      "None.")                                                                                     \
    X(720059, WARN, ACT_TUNABLE,                                                                   \
      "A setting in /etc/default/LifeKeeper, or the whole file, cannot be used; the action goes "  \
      "on as if it were not there.",                                                               \
      "Correct what the message names: whole seconds, and a file that is root's and that nobody "  \
      "else may write to.")                                                                        \
    X(720060, WARN, ACT_LOCAL_SHARED,                                                              \
      "remove leaves the address on the interface: another resource of this node serves the same " \
      "address there, and takes it off when it is removed.",                                       \
      "None, if two resources are meant to share an address; they have to move together. "         \
      "Otherwise remove the other one, too.")

enum act_message {
#define X(code, level, name, cause, remedy) name = code,
    ACT_MESSAGES(X)
#undef X
};

#endif
