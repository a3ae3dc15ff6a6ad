-- No moves during maintenance: restore and recover are refused in the windows of site.maintenance.
local site = require "site"
local window = require "window"

local function refuse(facts)
    local w = window.now(assert(site.maintenance, "lib/site.lua has no maintenance"))
    if w then
        return false, facts.tag .. ": maintenance until " .. w.to .. (w.zone == "utc" and " UTC" or "")
    end
end

return { pre_restore = refuse, pre_recover = refuse }
