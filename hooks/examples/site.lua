-- site.lua: what the examples have to know of this site.  Copy it to /etc/cloudvip/hooks/lib/site.lua and
-- change it there; a hook whose part is missing says so in the log.
return {
    -- 10-maintenance.lua: no moves in these windows (lib/window.lua).
    maintenance = {
        { weekdays = { 7 }, from = "02:00", to = "04:00", zone = "utc" },
    },

    -- 20-quorum.lua: so many of these must answer with 200, or this node counts itself as cut off.
    -- hook_hosts = witness-a.example.org, witness-b.example.org
    quorum = {
        witnesses = { "https://witness-a.example.org/alive", "https://witness-b.example.org/alive" },
        need = 1,
    },

    -- 30-peer.lua: while this answers with 200, wait; give up after so long, and then refuse or not.
    -- hook_hosts = 10.0.2.10:8443, and hook_timeout longer than wait_s
    peer = { url = "https://10.0.2.10:8443/serving", wait_s = 5, refuse = false },

    -- 40-tables.lua: route tables with this tag are not the address's business.
    tables = { without = { key = "cloudvip", value = "no" } },

    -- 80-audit.lua: hook_programs = /usr/bin/logger
    audit = { program = "/usr/bin/logger", arguments = { "-t", "cloudvip-audit", "-p", "authpriv.notice", "--" } },

    -- 90-notify.lua: hook_hosts = hooks.slack.com
    notify = { url = "https://hooks.slack.com/services/T000/B000/secret", channel = "#failover" },
}
