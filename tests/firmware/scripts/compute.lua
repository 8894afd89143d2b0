-- compute.lua - loops, tables, strings and garbage, all in one number after the other
-- SPDX-License-Identifier: MIT
local function sieve(n)
    local is_out, primes = {}, {}
    for i = 2, n do
        if not is_out[i] then
            primes[#primes + 1] = i
            for j = i * i, n, i do is_out[j] = true end
        end
    end
    return primes
end
local primes = sieve(5000)
print(#primes, primes[#primes])

local function queens(n)
    local count, column, up, down = 0, {}, {}, {}
    local function place(row)
        if row > n then count = count + 1 return end
        for c = 1, n do
            if not (column[c] or up[row + c] or down[row - c]) then
                column[c], up[row + c], down[row - c] = true, true, true
                place(row + 1)
                column[c], up[row + c], down[row - c] = nil, nil, nil
            end
        end
    end
    place(1)
    return count
end
print(queens(6))

-- A generator whose 64-bit products wrap, as they do on a 64-bit host.
local state = 0x9E3779B97F4A7C15
local function random()
    state = state * 6364136223846793005 + 1442695040888963407
    return state >> 33
end
local hash = 0
for _ = 1, 1000 do hash = (hash ~ random()) * 1099511628211 end
print(string.format("%016x", hash))

local rows = {}
for y = -8, 8 do
    local row = {}
    for x = -20, 10 do
        local cx, cy, zx, zy, n = x / 12, y / 7, 0.0, 0.0, 0
        while n < 20 and zx * zx + zy * zy < 4 do
            zx, zy, n = zx * zx - zy * zy + cx, 2 * zx * zy + cy, n + 1
        end
        row[#row + 1] = n == 20 and "#" or string.char(46 + n % 8)
    end
    rows[#rows + 1] = table.concat(row)
end
print(table.concat(rows, "\n"))

local sum = 0.0
for i = 1, 300 do sum = sum + math.sin(i) * math.sqrt(i) + math.log(i) / math.exp(i % 7) end
print(string.format("%.9f", sum))

-- Garbage by the megabyte, with a weak table and finalizers, in little memory.
local kept, finalized = setmetatable({}, {__mode = "v"}), 0
for i = 1, 5000 do
    local t = {i, tostring(i) .. "x", function() return i end}
    if i % 100 == 0 then
        kept[#kept + 1] = t
        setmetatable(t, {__gc = function() finalized = finalized + 1 end})
    end
end
collectgarbage()
collectgarbage()
print(finalized, next(kept), collectgarbage("count") < 4096)
