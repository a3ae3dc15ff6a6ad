-- Route tables are chosen by their tags: site.tables.without names the tag of those that are left alone,
-- site.tables.with the tag that a table must have.
local site = require "site"

local function is_tagged(binding, tag)
    local tags = binding.tags or {}
    return tags[tag.key] ~= nil and (tag.value == nil or tags[tag.key] == tag.value)
end

local function choose(facts)
    local tables = assert(site.tables, "lib/site.lua has no tables")
    local chosen = {}

    for _, binding in ipairs(facts.bindings) do
        local out = tables.without and is_tagged(binding, tables.without)
        local missing = tables.with and not is_tagged(binding, tables.with)
        if not out and not missing then
            chosen[#chosen + 1] = binding.place
        end
    end
    return chosen
end

return { choose_tables = choose }
