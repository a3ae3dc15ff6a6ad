-- web: requests that are tried again, within the hook's time.
local web = {}

-- cloudvip.http, up to `tries` times while there is no answer or one of 5xx or 429; the answer, or nil and why.
function web.try(request, tries)
    local answer, why
    for n = 1, tries do
        request.timeout_ms = math.max(cloudvip.left_ms() // (tries - n + 1) - 200, 100)
        answer, why = cloudvip.http(request)
        if answer and answer.status < 500 and answer.status ~= 429 then
            return answer
        end
        why = why or ("HTTP " .. answer.status)
        if n < tries then
            cloudvip.sleep(math.min(200, cloudvip.left_ms() // 10))
        end
    end
    return nil, why
end

-- Sends a value as JSON; true, or nil and why not.
function web.post_json(url, value, tries)
    local answer, why = web.try({
        url = url,
        method = "POST",
        headers = { ["Content-Type"] = "application/json" },
        body = cloudvip.json.encode(value),
    }, tries or 2)
    if not answer then
        return nil, why
    end
    if answer.status >= 300 then
        return nil, "HTTP " .. answer.status .. ": " .. answer.body:sub(1, 200)
    end
    return true
end

return web
