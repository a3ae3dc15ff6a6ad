-- Wait while the other node still serves: site.peer.url answers there with 200 as long as it does.  A node
-- that is being shut down gets the time to end its connections.
local site = require "site"

local function wait(facts)
    local peer = assert(site.peer, "lib/site.lua has no peer")
    local until_ms = math.max(cloudvip.left_ms() - peer.wait_s * 1000, 500)
    local told = false

    while true do
        local answer = cloudvip.http{ url = peer.url, timeout_ms = 1000 }
        if not answer or answer.status ~= 200 then
            return true
        end
        if not told then
            cloudvip.log("the other node still serves " .. facts.tag .. ": waiting up to " .. peer.wait_s .. " s")
            told = true
        end
        if cloudvip.left_ms() <= until_ms then
            break
        end
        cloudvip.sleep(200)
    end
    if peer.refuse then
        return false, "the other node still serves it after " .. peer.wait_s .. " s"
    end
    cloudvip.log("warn", "the other node still serves " .. facts.tag .. ": taken all the same")
    return true
end

return { pre_restore = wait }
