-- Tells a channel what happened: a webhook that takes Slack's JSON (Slack, Mattermost, Rocket.Chat).
local site = require "site"
local web = require "web"
local words = require "words"

local colours = { right = "good", unknown = "warning" }

local function fields(facts)
    local list = cloudvip.json.array{}
    local function add(title, value)
        if value then
            list[#list + 1] = { title = title, value = tostring(value), short = true }
        end
    end
    add("Resource", facts.tag)
    add("Address", facts.address)
    add("Node", facts.node)
    add("Took", facts.took_ms and facts.took_ms .. " ms")
    add("Request id", facts.error and facts.error.request_id)
    return list
end

local function notify(facts)
    local to = assert(site.notify, "lib/site.lua has no notify")
    local sent, why = web.post_json(to.url, {
        channel = to.channel,
        text = words.line(facts),
        attachments = {
            { color = colours[facts.outcome] or "danger", fields = fields(facts), ts = cloudvip.time().unix },
        },
    })
    if not sent then
        cloudvip.log("warn", "nobody was told: " .. why)
    end
end

-- A restore that found the address here already is no news.
local function if_news(facts)
    if facts.changed or facts.outcome ~= "right" then
        notify(facts)
    end
end

return {
    post_restore = if_news,
    post_recover = if_news,
    post_remove = if_news,
    post_check = function(facts)
        if facts.in_service and facts.outcome == "wrong" then
            notify(facts)
        end
    end,
}
