-- window: is it that time of the week?
--
--   { weekdays = { 6, 7 }, from = "22:00", to = "04:00", zone = "utc" }
--
-- Monday is 1.  Without weekdays every day is meant, without zone the node's own time.  A window that ends
-- before it begins ends on the next day; its weekday is the one on which it began.
local window = {}

local function minutes(text)
    local hour, min = tostring(text):match("^(%d%d?):(%d%d)$")
    hour, min = tonumber(hour), tonumber(min)
    if not hour or hour > 24 or min > 59 or hour * 60 + min > 1440 then
        error("a time of day is HH:MM, not " .. tostring(text), 3)
    end
    return hour * 60 + min
end

local function has(list, wanted)
    if not list then
        return true
    end
    for _, item in ipairs(list) do
        if item == wanted then
            return true
        end
    end
    return false
end

-- Is `now` (of cloudvip.time) within the window w?
function window.holds(w, now)
    local from, to = minutes(w.from or "00:00"), minutes(w.to or "24:00")
    local at = now.hour * 60 + now.min
    local yesterday = now.weekday == 1 and 7 or now.weekday - 1

    if from < to then
        return has(w.weekdays, now.weekday) and at >= from and at < to
    end
    return (has(w.weekdays, now.weekday) and at >= from) or (has(w.weekdays, yesterday) and at < to)
end

-- The first window of a list that holds now, or nil.
function window.now(list)
    for _, w in ipairs(list) do
        if window.holds(w, cloudvip.time(w.zone or "local")) then
            return w
        end
    end
end

return window
