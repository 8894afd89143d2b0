-- post.lua - the POSTs that wrk sends for bench/post, and the check of each reply
-- SPDX-License-Identifier: MIT
--
-- wrk ... -s post.lua URL KIND PATH...    a thread for each connection, a PATH for each thread
-- KIND `fresh` posts text and wants it back; `session` posts nothing and wants the visit after the
-- one before. Errors go by their first words: wrk itself only counts.

local FILLER = string.rep('all work and no play ', 11)
local threads = {}

function setup(thread)
    table.insert(threads, thread)
    thread:set('number', #threads)
end

function init(args)
    kind = args[1]
    sent, good, bad, words = 0, 0, 0, ''
    visits = nil
    head = 'POST ' .. args[1 + number] .. ' HTTP/1.1\r\nHost: ' .. wrk.host .. ':' .. wrk.port ..
        '\r\nContent-Type: application/octet-stream\r\nContent-Length: '
end

function request()
    sent = sent + 1
    body = kind == 'fresh' and string.format('%s%02d-%010d', FILLER, number, sent) or ''
    return head .. #body .. '\r\n\r\n' .. body
end

local function is_right(status, text)
    if status ~= 200 then
        return false
    end
    if kind == 'fresh' then
        return text == body
    end
    local hello, count = string.match(text, '^(Welcome[ back]*!) Visit number (%d+)%.\n$')
    count = tonumber(count)
    if not count or (hello == 'Welcome!') ~= (count == 1) or (visits and count ~= visits + 1) then
        return false
    end
    visits = count
    return true
end

function response(status, headers, text)
    if is_right(status, text) then
        good = good + 1
        return
    end
    bad = bad + 1
    if words == '' then
        words = string.format('status %d, body %q', status, string.sub(text, 1, 300))
    end
end

function done(summary, latency, requests)
    local all_good, all_bad, first, idle = 0, 0, '', 0
    for _, thread in ipairs(threads) do
        all_good = all_good + thread:get('good')
        all_bad = all_bad + thread:get('bad')
        first = first == '' and thread:get('words') or first
        idle = idle + (thread:get('good') == 0 and 1 or 0)
    end
    local e = summary.errors
    io.write(string.format('RESULT %d %d %d %d %d %s\n', all_good, all_bad, idle,
        e.connect + e.read + e.write + e.timeout, summary.duration, first:gsub('%s+', ' ')))
end
