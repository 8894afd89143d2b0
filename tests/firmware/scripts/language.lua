-- language.lua - each part of the language and its library once
-- SPDX-License-Identifier: MIT
print(_VERSION, 7 // 2, 7 / 2, 2 ^ 53, 1 << 40, ~5, 3 % -2, -3 // 2, 5.5 % -2)
print(math.maxinteger + 1 == math.mininteger, math.pi, 1e308 * 10, 0x1p-3, 1e15, 123456789012)
print(string.format("%5.2f|%-8s|%08x|%q|%+d|%e|%a", 2 / 3, "ab", 12345, "x\ny", 7, 1 / 3, 0.5))
print(tostring(0.1), 1e100, 2 ^ -1022, -0.0, 100 // 1e-3, 7 // 0.0, math.type(3 // 1.0))

local function fib(n)
    if n < 2 then return n end
    return fib(n - 1) + fib(n - 2)
end
print(fib(16))

local sorted = {}
for i = 1, 200 do sorted[i] = (i * 7919) % 1009 end
table.sort(sorted, function(a, b) return a > b end)
print(table.concat(sorted, ",", 1, 20), #sorted, select("#", table.unpack(sorted, 1, 50)))

local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({x = a.x + b.x}, Point) end
Point.__lt = function(a, b) return a.x < b.x end
Point.__tostring = function(p) return "point " .. p.x end
Point.__close = function(p) print("closed", p) end
local a, b = setmetatable({x = 1}, Point), setmetatable({x = 2.5}, Point)
do
    local c <close> = a + b
    print(a < b, c)
end

local resumed = coroutine.wrap(function(n)
    for i = 1, 3 do n = coroutine.yield(n * i) end
    error("in a coroutine")
end)
print(resumed(5), resumed(6), resumed(7), pcall(resumed, 8))

print(("one two  three"):gsub("%s+", "_"), ("k=v; a=b"):match("(%w+)=(%w+);%s*(.*)"))
print(("%d+"):rep(3, "|"), ("hello"):byte(1, -1), string.pack("<i4z", -2, "ab"):byte(1, -1))
print(utf8.char(228, 8364, 128512), utf8.len("äö€"), utf8.codepoint("€", 1))
print(pcall(error, {code = 1}) == false, select(2, pcall(error, "text", 0)))
print(select(2, pcall(function() return nil + 1 end)), select(2, pcall(load, "x = = 1")))
print(load("return ...", "chunk")(1, nil, 3), load("x = = 1"))
print(os.time {year = 2001, month = 9, day = 9, hour = 1, min = 46, sec = 40}, os.date("!%c", 1e9))
for word in ("goto is fine"):gmatch("%a+") do
    if word == "is" then goto continue end
    io.write(word, ";")
    ::continue::
end
io.write("\n")
local function depth(n) return n == 0 and 0 or 1 + depth(n - 1) end
print(depth(2000), select(2, pcall(string.rep, "x", -1)) == "", #string.rep("ab", 1000, ","))
