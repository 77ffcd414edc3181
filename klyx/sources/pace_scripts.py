"""The scripts that take turns in Redis. Times are microseconds; the clock is that of Redis, the same for all.

Turns are a hash: a turn's number -> when it is, and once it was used when that was; `next` -> the next number.
"""

from __future__ import annotations

_COMMON = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.0f', number) end
local function stored(name) return tonumber(redis.call('HGET', KEYS[1], name) or '0') end
local floor = tonumber(redis.call('GET', KEYS[2]) or '0')
local function earliest(number, first)
    local turn, most, longest = now, 0, 0
    for i = first, #ARGV, 2 do
        local amount, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
        local before = stored(text(number - amount))
        if before > 0 then turn = math.max(turn, before + window) end
        most, longest = math.max(most, amount), math.max(longest, window)
    end
    return turn, most, longest
end
"""

# KEYS: turns, floor (no turn before it), users (who takes turns).
# ARGV: longest wait, own earliest turn from now, 1 when that holds for all, own name, spare turns, then amount and
# window of each limit. Answers: 1 when the turn was taken, microseconds until it, how many take turns, its number.
TAKE_TURN = (
    _COMMON
    + """
redis.call('ZADD', KEYS[3], text(now), ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now - 60000000))
redis.call('PEXPIRE', KEYS[3], 120000)
local users = redis.call('ZCARD', KEYS[3])

local own = now + tonumber(ARGV[2])
if ARGV[3] == '1' and own > floor then
    floor = own
    redis.call('SET', KEYS[2], text(floor), 'PX', text(math.ceil((floor - now) / 1000) + 1))
end
local number = math.max(stored('next'), 1)
local turn, most, longest = earliest(number, 6)
turn = math.max(turn, own, floor, stored(text(number - 1)))
local wait = turn - now
if wait > tonumber(ARGV[1]) then return {0, wait, users, 0} end
if most > 0 then
    redis.call('HSET', KEYS[1], text(number), text(turn), 'next', text(number + 1))
    redis.call('HDEL', KEYS[1], text(number - most - tonumber(ARGV[5])))
    redis.call('PEXPIRE', KEYS[1], text(math.ceil((wait + longest) / 1000) + 1000))
end
return {1, wait, users, number}
"""
)

# KEYS: turns, floor. ARGV: number of a turn, then amount and window of each limit. Answers: 0 when the turn has come,
# which is now; microseconds left when those before it were late; -1 while nobody may ask at all.
CONFIRM_TURN = (
    _COMMON
    + """
if floor > now then return -1 end
local turn = earliest(tonumber(ARGV[1]), 2)
if turn > now then return turn - now end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], text(now)) end
return 0
"""
)

# KEYS: turns. ARGV: number of a turn. The request left only now: what depends on it depends on that.
SENT = """
local clock = redis.call('TIME')
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', clock[1] * 1000000 + clock[2]))
end
return 1
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
