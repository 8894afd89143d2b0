-- files.lua - io and os on real files; the last line is an error that nobody catches
-- SPDX-License-Identifier: MIT
local file = assert(io.open("made", "w"))
for i = 1, 300 do file:write(i, " ", i / 4, "\n") end
print(file:seek("cur"), file:seek("set", 10), file:write("[there]"), file:close())
local lines, sum = 0, 0.0
for line in io.lines("made") do
    lines, sum = lines + 1, sum + (tonumber(line:match(" (%S+)$")) or 0)
end
print(lines, sum)
file = io.open("made", "rb")
print(file:read("n", "n", "l", 7, "L"), #file:read("a"), file:read("a"), file:read("l"))
file:close()
print(os.rename("made", "moved"), os.rename("nowhere", "moved") == nil, io.open("made") == nil)
print(#arg, arg[1], arg[2], ...)
error("at the end")
