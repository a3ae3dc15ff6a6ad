-- One line of JSON for each action that changed something, or failed, through site.audit.program.
local site = require "site"

local function write(facts)
    local audit = assert(site.audit, "lib/site.lua has no audit")
    local command = { audit.program, timeout_ms = 2000 }

    if facts.action == "quickCheck" and facts.outcome == "right" then
        return
    end
    for _, argument in ipairs(audit.arguments or {}) do
        command[#command + 1] = argument
    end
    command[#command + 1] = cloudvip.json.encode{
        at = cloudvip.time("utc").iso,
        action = facts.action,
        tag = facts.tag,
        address = facts.address,
        node = facts.node,
        caller = facts.caller,
        outcome = facts.outcome,
        status = facts.status,
        changed = facts.changed,
        took_ms = facts.took_ms,
        error = facts.error and facts.error.message,
        request_id = facts.error and facts.error.request_id,
    }
    local done, why = cloudvip.exec(command)
    if not done or done.status ~= 0 then
        cloudvip.log("warn", "audit line not written: " .. (why or ("status " .. done.status)))
    end
end

return { post_restore = write, post_remove = write, post_recover = write, post_check = write }
