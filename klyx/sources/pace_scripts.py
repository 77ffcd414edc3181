"""The scripts that take turns in Redis. Times are microseconds; the clock is that of Redis, the same for all."""

from __future__ import annotations

# KEYS: turns (a list, newest last), floor (no turn before it), users (who takes turns).
# ARGV: longest wait, own earliest turn from now, 1 when that holds for all, own name, then amount and window of each
# limit. Answers: 1 when the turn was taken, microseconds until the turn, how many processes take turns.
TAKE_TURN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.0f', number) end

redis.call('ZADD', KEYS[3], text(now), ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now - 60000000))
redis.call('PEXPIRE', KEYS[3], 120000)
local users = redis.call('ZCARD', KEYS[3])

local floor = tonumber(redis.call('GET', KEYS[2]) or '0')
local turn = math.max(now + tonumber(ARGV[2]), floor)
if ARGV[3] == '1' and turn > floor then
    redis.call('SET', KEYS[2], text(turn), 'PX', text(math.ceil((turn - now) / 1000) + 1))
end
turn = math.max(turn, tonumber(redis.call('LINDEX', KEYS[1], -1) or '0'))
local most, longest = 0, 0
for i = 5, #ARGV, 2 do
    local amount, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local before = redis.call('LINDEX', KEYS[1], -amount)
    if before then turn = math.max(turn, tonumber(before) + window) end
    most, longest = math.max(most, amount), math.max(longest, window)
end

local wait = turn - now
if wait > tonumber(ARGV[1]) then return {0, wait, users} end
if most > 0 then
    redis.call('RPUSH', KEYS[1], text(turn))
    redis.call('LTRIM', KEYS[1], -most, -1)
    redis.call('PEXPIRE', KEYS[1], text(math.ceil((wait + longest) / 1000) + 1000))
end
return {1, wait, users}
"""

# KEYS: floor. ARGV: how long. The longest cooldown wins.
COOL_DOWN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local floor = tonumber(redis.call('GET', KEYS[1]) or '0')
local wanted = now + tonumber(ARGV[1])
if wanted > floor then
    redis.call('SET', KEYS[1], string.format('%.0f', wanted), 'PX', math.ceil((wanted - now) / 1000) + 1)
end
return 1
"""

# KEYS: floor. Answers: 1 while nobody may ask.
COOLING = """
local clock = redis.call('TIME')
return tonumber(redis.call('GET', KEYS[1]) or '0') > clock[1] * 1000000 + clock[2] and 1 or 0
"""
