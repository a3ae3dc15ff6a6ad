-- A node that reaches nobody does not take the address: enough witnesses of site.quorum must answer first.
-- The witness is any URL that answers with 200 to who can reach it; it is best in a third zone.
--
-- This is a guard: with hook_failure = refuse a typing error in it counts as a refusal, too.
local site = require "site"

local function guard(facts)
    local quorum = assert(site.quorum, "lib/site.lua has no quorum")
    local alive, last = 0, "none was asked"

    for i, url in ipairs(quorum.witnesses) do
        local left = #quorum.witnesses - i + 1
        local answer, why = cloudvip.http{ url = url, timeout_ms = math.max(cloudvip.left_ms() // (left + 1), 100) }
        if answer and answer.status == 200 then
            alive = alive + 1
        else
            last = why or ("HTTP " .. answer.status)
            cloudvip.log("warn", "witness " .. i .. ": " .. last)
        end
        if alive >= quorum.need then
            return true
        end
    end
    return false, alive .. " of " .. #quorum.witnesses .. " witnesses answer, " .. quorum.need ..
        " are needed to take " .. facts.tag .. ": " .. last
end

return { pre_restore = guard }
