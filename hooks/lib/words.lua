-- words: facts in one line, for people.
local words = {}

-- "restore of vip1 (10.1.0.10) on i-0a1: right, moved in 812 ms"
function words.line(facts)
    local what = facts.action .. " of " .. facts.tag
    if facts.address then
        what = what .. " (" .. facts.address .. ")"
    end
    if facts.node then
        what = what .. " on " .. facts.node
    end
    what = what .. ": " .. (facts.outcome or "begins")
    if facts.changed then
        what = what .. ", moved"
    end
    if facts.took_ms then
        what = what .. " in " .. facts.took_ms .. " ms"
    end
    if facts.error then
        what = what .. ": " .. facts.error.message
    end
    return what
end

return words
